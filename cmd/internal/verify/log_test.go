package verify

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

func TestWhatHappensToTheLog(t *testing.T) {
	first, second, third := good("1990-01-01", 1), good("1990-01-02", 2), good("1990-01-03", 4)
	topic := func(c *cluster) map[string]string { return map[string]string{".topic": c.sidecar()} }
	cases := []struct {
		name  string
		make  func(c *cluster) map[string]string // the log; returns the files beside the partition file
		file  string
		want  Verdict
		lines []string
	}{
		{"a transaction that was committed counts, its marker too", func(c *cluster) map[string]string {
			c.transaction(kgo.TryCommit, first, second)
			c.produce(third)
			return topic(c)
		}, fileOf(t, 4, first, second, third), Equal, nil},
		{"control records at the very end", func(c *cluster) map[string]string {
			c.transaction(kgo.TryCommit, first)
			return topic(c)
		}, fileOf(t, 2, first), Equal, nil},
		{"a transaction that was aborted does not count", func(c *cluster) map[string]string {
			c.produce(first)
			c.transaction(kgo.TryAbort, second)
			c.produce(third)
			return topic(c)
		}, fileOf(t, 4, first, third), Equal, nil},
		{"nothing but an aborted transaction", func(c *cluster) map[string]string {
			c.transaction(kgo.TryAbort, first, second)
			return topic(c)
		}, fileOf(t, 3), Equal, nil},
		{"aborted records that were counted", func(c *cluster) map[string]string {
			c.transaction(kgo.TryAbort, first)
			c.produce(second)
			return topic(c)
		}, fileOf(t, 3, first, second), Differs,
			[]string{"January 1990: count is 2, topic says 1; sum is 3, topic says 2; start is 1990-01-01, topic says 1990-01-02"}},
		{"records of a transaction that goes on do not count yet", func(c *cluster) map[string]string {
			c.produce(first)
			c.begin(second)
			return topic(c)
		}, fileOf(t, 2, first, second), Differs, []string{
			"offset is 2, topic ends at 1: another topic was counted, or the log has lost its end",
			"January 1990: count is 2, topic says 1; sum is 3, topic says 1; end is 1990-01-02, topic says 1990-01-01"}},
		{"records that were counted and then deleted", func(c *cluster) map[string]string {
			c.produce(first, second, third)
			c.deleteBelow(2)
			return topic(c)
		}, fileOf(t, 3, first, second, third), Unprovable,
			[]string{"records 0 to 1: deleted from the topic, which begins at offset 2 now; what the file counts of them can't be recounted"}},
		{"deleted, and what is left contradicts", func(c *cluster) map[string]string {
			c.produce(first, second, third)
			c.deleteBelow(2)
			return topic(c)
		}, fileOf(t, 3, first, second), Differs, []string{
			"January 1990: end is 1990-01-02, topic still has 1990-01-03",
			"records 0 to 1: deleted from the topic, which begins at offset 2 now; what the file counts of them can't be recounted"}},
		{"rejects of records that were deleted", func(c *cluster) map[string]string {
			c.produce(record{"January", nil}, first, record{"January", nil})
			c.deleteBelow(1)
			return map[string]string{".topic": c.sidecar(), ".rejected.jsonl": "{\"offset\": 0}\n{\"offset\": 2}\n"}
		}, fileOf(t, 3, first), Unprovable,
			[]string{"record 0: deleted from the topic, which begins at offset 1 now; what the file counts of them can't be recounted"}},
		{"everything deleted", func(c *cluster) map[string]string {
			c.produce(first, second, third)
			c.deleteBelow(3)
			return topic(c)
		}, fileOf(t, 2, first, second), Unprovable,
			[]string{"records 0 to 1: deleted from the topic, which begins at offset 3 now; what the file counts of them can't be recounted"}},
		{"deleted before they were counted, and skipped", func(c *cluster) map[string]string {
			c.produce(first, second, third)
			c.deleteBelow(2)
			return map[string]string{".topic": c.sidecar(span{0, 2})}
		}, fileOf(t, 3, third), Unprovable, []string{"records 0 to 1: skipped, as partition-0.topic says, and in no month"}},
		{"skipped, but counted all the same", func(c *cluster) map[string]string {
			c.produce(first, second, third)
			c.deleteBelow(1)
			return map[string]string{".topic": c.sidecar(span{0, 1})}
		}, fileOf(t, 3, first, second, third), Differs, []string{
			"January 1990: count is 3, topic says 2; sum is 7, topic says 6; start is 1990-01-01, topic says 1990-01-02",
			"record 0: skipped, as partition-0.topic says, and in no month"}},
		{"deleted, some before and some after they were counted", func(c *cluster) map[string]string {
			c.produce(first, second, third)
			c.deleteBelow(2)
			return map[string]string{".topic": c.sidecar(span{0, 1})}
		}, fileOf(t, 3, second, third), Unprovable, []string{
			"record 1: deleted from the topic, which begins at offset 2 now; what the file counts of them can't be recounted",
			"record 0: skipped, as partition-0.topic says, and in no month"}},
		{"created anew", func(c *cluster) map[string]string {
			files := topic(c)
			c.recreate()
			c.produce(first)
			old := files[".topic"]
			old = old[strings.Index(old, `"id":"`)+len(`"id":"`):][:22]
			return map[string]string{".topic": files[".topic"], "lines": "the topic was deleted and created anew: the file counts the one with id " + old + ", now there is " + c.id()}
		}, fileOf(t, 1, first), Unprovable, nil},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t)
			files := test.make(c)
			if line, ok := files["lines"]; ok {
				test.lines = []string{line}
				delete(files, "lines")
			}
			files[".json"] = test.file
			report, err := Partition(t.Context(), c.config, write(t, files), 0, nil)
			c.must(err)
			checkReport(t, report, test.want, test.lines...)
		})
	}
}

// The calls of progress, before the first fetch and after each, are the moments
// for mischief.
func TestWhatHappensMeanwhile(t *testing.T) {
	first, second := good("1990-01-01", 1), good("1990-01-02", 2)
	cases := []struct {
		name     string
		done     int64 // when
		mischief func(c *cluster)
		want     Verdict
		lines    []string
	}{
		{"the broker is not the leader for a moment", 0, func(c *cluster) {
			c.broker.Fail(embedded.Fetch, kerr.NotLeaderForPartition.Code, 2)
		}, Equal, nil},
		{"a connection breaks", 0, func(c *cluster) { c.broker.LoseAnswers(embedded.Fetch, 1) }, Equal, nil},
		{"records are deleted", 0, func(c *cluster) { c.deleteBelow(1) }, Unprovable,
			[]string{"records were deleted from the topic while it was recounted: try again"}},
		{"the topic is created anew", 0, func(c *cluster) {
			c.recreate()
			c.produce(first, second)
		}, Unprovable, []string{"the topic was deleted and created anew while it was recounted"}},
		{"the topic is created anew after the last fetch", 2, (*cluster).recreate, Unprovable,
			[]string{"the topic was deleted and created anew while it was recounted"}},
		{"the connection breaks after the last fetch", 2, func(c *cluster) { c.broker.LoseAnswers(embedded.Metadata, 1) }, Equal, nil},
		{"more is written", 0, func(c *cluster) { c.produce(good("1990-01-03", 4)) }, Equal, nil},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t)
			c.produce(first, second)
			files := map[string]string{".json": fileOf(t, 2, first, second), ".topic": c.sidecar()}
			report, err := Partition(t.Context(), c.config, write(t, files), 0, func(done, total int64) {
				if done == test.done {
					test.mischief(c)
				}
			})
			c.must(err)
			checkReport(t, report, test.want, test.lines...)
		})
	}
}

func TestSecureConnections(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	users := []embedded.User{{Mechanism: "PLAIN", Name: "ann", Password: "secret"},
		{Mechanism: "SCRAM-SHA-256", Name: "bob", Password: "secret"}, {Mechanism: "SCRAM-SHA-512", Name: "eve", Password: "secret"}}
	broker := startBroker(t, embedded.Config{TLS: &tls.Config{Certificates: server.TLS.Certificates}, Users: users})
	config := Config{Brokers: []string{broker.Addr()}, Topic: "absent",
		TLS: &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}
	for _, user := range users {
		t.Run(user.Mechanism, func(t *testing.T) {
			config := config
			config.Mechanism, config.User, config.Password = user.Mechanism, user.Name, user.Password
			dir := write(t, map[string]string{".json": fileOf(t, 0)})
			if _, err := Partition(t.Context(), config, dir, 0, nil); !errors.Is(err, messages.ErrTopicMissing) {
				t.Errorf("got %v, want the broker's answer: %v", err, messages.ErrTopicMissing)
			}
			config.Password, config.Wait = "wrong", 200*time.Millisecond // kfake hangs up on it
			if _, err := Partition(t.Context(), config, dir, 0, nil); err == nil || errors.Is(err, messages.ErrTopicMissing) {
				t.Errorf("wrong password: got %v", err)
			}
		})
	}
}
