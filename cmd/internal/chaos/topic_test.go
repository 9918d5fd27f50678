package chaos

import (
	"maps"
	"testing"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

func TestTopicEndsAndIsRemoved(t *testing.T) {
	_, broker, client := through(t)
	publish(t, client, "a", "b", "c")
	admin, err := (&Config{}).admin([]string{broker.Addr()})
	must(t, err)
	defer admin.Close()
	got, err := ends(t.Context(), admin, topic)
	must(t, err)
	if !maps.Equal(got, map[int32]int64{0: 3}) {
		t.Errorf("ends %v, want 3", got)
	}
	for range 2 { // one that is not there needs no removing
		must(t, remove(admin, topic))
	}
	if _, err := ends(t.Context(), admin, topic); err == nil {
		t.Error("the topic is still there")
	}
}

func TestAdminKnowsEveryMechanism(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		broker, err := embedded.Start(embedded.Config{Users: []embedded.User{{Mechanism: mechanism, Name: "me", Password: "secret"}}})
		must(t, err)
		defer func() { must(t, broker.Close()) }()
		admin, err := (&Config{Mechanism: mechanism, User: "me", Password: "secret"}).admin([]string{broker.Addr()})
		must(t, err)
		defer admin.Close()
		must(t, remove(admin, topic))
	}
}
