package weather

import "time"

var monthDays = [...]int{
	time.January: 31, time.February: 28, time.March: 31, time.April: 30,
	time.May: 31, time.June: 30, time.July: 31, time.August: 31,
	time.September: 30, time.October: 31, time.November: 30, time.December: 31,
}

// DaysIn returns the number of days of that month in that year. It is 0 if
// there is no such month.
func DaysIn(year int, month time.Month) int {
	switch {
	case month < time.January || month > time.December:
		return 0
	case month == time.February && leap(year):
		return 29
	default:
		return monthDays[month]
	}
}

func leap(year int) bool {
	return year%4 == 0 && (year%100 != 0 || year%400 == 0)
}

// ParseMonth returns the month whose English name is exactly s, such as
// "January", and whether there is one. It does not allocate.
func ParseMonth[T ~string | ~[]byte](s T) (time.Month, bool) {
	switch string(s) {
	case "January":
		return time.January, true
	case "February":
		return time.February, true
	case "March":
		return time.March, true
	case "April":
		return time.April, true
	case "May":
		return time.May, true
	case "June":
		return time.June, true
	case "July":
		return time.July, true
	case "August":
		return time.August, true
	case "September":
		return time.September, true
	case "October":
		return time.October, true
	case "November":
		return time.November, true
	case "December":
		return time.December, true
	}
	return 0, false
}
