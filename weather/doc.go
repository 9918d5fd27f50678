// Package weather holds what weatheractors knows of weather: civil dates, daily
// maximum temperatures, their statistics by month and year, a generator of
// made-up weather, and readers of real weather.
//
// The package is pure: it knows no clock, no file, no network, starts no
// goroutine and keeps no global state. It reads from an io.Reader at most. So
// nothing here can crash half-way, and the same input gives the same result, to
// the last bit, on every architecture.
//
// Temperatures are in degrees Fahrenheit (°F) unless a name or a comment says
// otherwise. Values (Date, Observation, MonthStats) may be copied and shared;
// Stats and DateSet belong to one goroutine at a time; a Generator never
// changes and may be shared.
package weather
