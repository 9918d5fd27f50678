package messages_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

// A record's value is a Report, its key the month of the report's date.
func ExampleDecodeReport() {
	value, err := proto.Marshal(&messages.Report{Date: "2000-12-26", Degrees: 31.5235})
	if err != nil {
		panic(err)
	}
	fmt.Println(messages.DecodeReport([]byte("December"), value))
	_, err = messages.DecodeReport([]byte("June"), value)
	fmt.Println(err)
	// Output:
	// {2000-12-26 31.5235} <nil>
	// key "June" is not the month of 2000-12-26, December
}
