package messages

import (
	"bytes"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/weather"
)

func TestReportIsWrittenAsProtobufWritesIt(t *testing.T) {
	for _, date := range []string{"0001-01-01", "1990-02-28", "9999-12-31"} {
		for _, degrees := range []float64{0, math.Copysign(0, -1), 31.5235, -40, 1000000, weather.MaxDegrees, math.SmallestNonzeroFloat64} {
			d, err := weather.ParseDate(date)
			if err != nil {
				t.Fatal(err)
			}
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(&Report{Date: date, Degrees: degrees})
			if err != nil {
				t.Fatal(err)
			}
			o := weather.Observation{Date: d, Degrees: degrees}
			got := AppendReport(nil, o)
			if !bytes.Equal(got, want) {
				t.Errorf("%s %v: got %x, want %x", date, degrees, got, want)
			}
			if back, err := DecodeReport([]byte(d.Month().String()), got); err != nil || back != o {
				t.Errorf("%s %v: read as %v, %v", date, degrees, back, err)
			}
		}
	}
}
