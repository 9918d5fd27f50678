package messages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weatheractors/weatheractors/weather"
)

// Numbers and wire forms of Report's fields.
const (
	dateField    protowire.Number = 1
	degreesField protowire.Number = 2

	dateTag    = byte(dateField)<<3 | byte(protowire.BytesType)
	degreesTag = byte(degreesField)<<3 | byte(protowire.Fixed64Type)

	plainDateSize = len("YYYY-MM-DD")
)

// MaxReportSize is the most bytes that AppendReport appends: tag, length,
// YYYY-MM-DD, tag, double. It is what all reports take, but for those of 0 °F.
const MaxReportSize = 2 + plainDateSize + 1 + 8

var (
	errEmptyValue = errors.New("empty value")
	// The library's own texts differ from build to build.
	errMalformed = errors.New("value is not a protobuf Report")
)

// DecodeReport reads the observation in a record. It accepts what proto.Unmarshal
// accepts as a Report, if the date is valid, the degrees can be counted
// (weather.Observation.Check) and the key is the English name of the date's
// month. The error says why a record can't be counted. Nothing of key and value
// is kept; there is no allocation unless it fails.
func DecodeReport(key, value []byte) (weather.Observation, error) {
	date, degrees, err := splitReport(value)
	if err != nil {
		return weather.Observation{}, err
	}
	var o weather.Observation
	if o.Date, err = weather.ParseDate(date); err != nil {
		return weather.Observation{}, err
	}
	o.Degrees = degrees
	if err := o.Check(); err != nil {
		return weather.Observation{}, err
	}
	if want := o.Date.Month().String(); string(key) != want {
		return weather.Observation{}, fmt.Errorf("key %.40q is not the month of %s, %s", key, o.Date, want)
	}
	return o, nil
}

// splitReport takes a Report apart without copying: its date and its degrees.
func splitReport(value []byte) (date []byte, degrees float64, err error) {
	if len(value) == MaxReportSize && value[0] == dateTag && value[1] == byte(plainDateSize) && value[12] == degreesTag {
		return value[2:12], math.Float64frombits(binary.LittleEndian.Uint64(value[13:])), nil
	}
	if len(value) == 0 {
		return nil, 0, errEmptyValue
	}
	return parseReport(value)
}

// parseReport reads any encoding of a Report: fields in any order, repeated (the
// last one holds), absent, unknown ones among them.
func parseReport(value []byte) (date []byte, degrees float64, err error) {
	for len(value) > 0 {
		number, kind, n := protowire.ConsumeTag(value)
		if n < 0 {
			return nil, 0, errMalformed
		}
		if number > protowire.MaxValidNumber {
			return nil, 0, errMalformed
		}
		value = value[n:]
		switch {
		case number == dateField && kind == protowire.BytesType:
			if date, n = protowire.ConsumeBytes(value); n >= 0 && !utf8.Valid(date) {
				return nil, 0, errMalformed
			}
		case number == degreesField && kind == protowire.Fixed64Type:
			var bits uint64
			bits, n = protowire.ConsumeFixed64(value)
			degrees = math.Float64frombits(bits)
		default:
			n = protowire.ConsumeFieldValue(number, kind, value)
		}
		if n < 0 {
			return nil, 0, errMalformed
		}
		value = value[n:]
	}
	return date, degrees, nil
}
