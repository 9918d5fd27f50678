package messages

import (
	"encoding/binary"
	"math"

	"github.com/weatheractors/weatheractors/weather"
)

// AppendReport appends o, which must have passed Check, as a Report: the bytes
// of proto.Marshal, without its allocations. Degrees of 0 are left out, as
// proto3 has it.
func AppendReport(b []byte, o weather.Observation) []byte {
	b = append(b, dateTag, byte(plainDateSize))
	b, err := o.Date.AppendText(b)
	if err != nil {
		panic(err) // it has not passed Check
	}
	if bits := math.Float64bits(o.Degrees); bits != 0 {
		b = append(b, degreesTag)
		b = binary.LittleEndian.AppendUint64(b, bits)
	}
	return b
}
