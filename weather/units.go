package weather

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Units says in what a data file has its temperatures. The zero value leaves it
// to the file's format.
type Units string

// The units in which daily temperatures are published.
const (
	Celsius       Units = "c"
	Fahrenheit    Units = "f"
	TenthsCelsius Units = "tenths-c" // whole tenths of °C
)

var (
	// ErrUnits says that something is none of the Units.
	ErrUnits = errors.New("unknown units")

	// ErrImplausible says that a file has a temperature that no thermometer on
	// Earth ever showed: above 60 °C or below -90 °C. Mostly its units are others.
	ErrImplausible = errors.New("implausible temperature")
)

// Check returns ErrUnits if u is neither empty nor one of the constants.
func (u Units) Check() error {
	switch u {
	case "", Celsius, Fahrenheit, TenthsCelsius:
		return nil
	default:
		return fmt.Errorf("%w: %q: want %s, %s or %s", ErrUnits, clip(string(u)), Celsius, Fahrenheit, TenthsCelsius)
	}
}

// degrees reads a temperature that is written in these units, and returns it in
// °F, rounded to 4 decimals. What is a number, but no temperature of Earth, is
// ErrImplausible.
func (u Units) degrees(text string) (float64, error) {
	switch u {
	case TenthsCelsius:
		tenths, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("want a whole number of tenths of °C, got %q", clip(text))
		}
		if err := plausible(float64(tenths), -900, 600, "tenths of °C", text); err != nil {
			return 0, err
		}
		return fahrenheit(float64(tenths) / 10), nil
	case Fahrenheit:
		degrees, err := decimal(text, "°F")
		if err == nil {
			err = plausible(degrees, -130, 140, "°F", text)
		}
		if err != nil {
			return 0, err
		}
		return rounded(degrees), nil
	default:
		celsius, err := decimal(text, "°C")
		if err == nil {
			err = plausible(celsius, -90, 60, "°C", text)
		}
		if err != nil {
			return 0, err
		}
		return fahrenheit(celsius), nil
	}
}

// decimal reads a decimal number.
func decimal(text, unit string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xX") { // hexadecimal is Go's alone
		return 0, fmt.Errorf("want a number in %s, got %q", unit, clip(text))
	}
	return n, nil
}

func plausible(n float64, least, most int, unit, text string) error {
	// The negation also catches NaN.
	if !(n >= float64(least) && n <= float64(most)) {
		return fmt.Errorf("%w: want %d to %d %s, got %q", ErrImplausible, least, most, unit, clip(text))
	}
	return nil
}
