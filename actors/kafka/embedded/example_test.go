package embedded_test

import (
	"context"
	"fmt"
	"log"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

// A broker in memory, and an ordinary Kafka client that uses it. In a folder of
// its own it would keep what is written: Config{DataDir: "kafka"}.
func Example() {
	broker, err := embedded.Start(embedded.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()

	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.Ping(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("a broker answers")
	// Output: a broker answers
}
