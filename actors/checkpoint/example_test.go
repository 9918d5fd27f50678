package checkpoint_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// A partition is opened, loaded and saved; then anyone may read its file.
func Example() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	partition, err := checkpoint.Open(dir, 2)
	if err != nil {
		log.Fatal(err)
	}
	defer partition.Close()
	loaded, err := partition.Load()
	if err != nil {
		log.Fatal(err)
	}
	stats, err := loaded.GetStats().Stats()
	if err != nil {
		log.Fatal(err)
	}

	// Count the records at offsets 0 and 1.
	for day, degrees := range []float64{23.5, 19.25} {
		date, err := weather.NewDate(1990, time.January, day+1)
		if err != nil {
			log.Fatal(err)
		}
		stats.Add(weather.Observation{Date: date, Degrees: degrees})
	}
	saved, err := partition.Save(&messages.Checkpoint{
		Partition: 2,
		Offset:    2,
		Stats:     messages.NewStatsTable(stats),
		Topic:     &messages.CountedTopic{Name: "temperatures"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("saved offset", saved.GetOffset())

	file, err := os.ReadFile(checkpoint.Path(dir, 2))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", file)
	// Output:
	// saved offset 2
	// {"partition": 2, "offset": 2,
	// "January": {
	// "1990": {"count": 2, "sum": 42.75, "avg": 21.375, "end": "1990-01-02", "start": "1990-01-01"}}}
}
