package integration

import (
	"slices"
	"testing"
)

func TestResumeGoesOnWithTheNextDay(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "100", "--duplicates", "0")
		p.produce("--days", "50", "--duplicates", "0", "--resume")
		p.count()
		tally := p.tally()
		if n, records := tally.count(), p.offset(); n != 150 || records != 150 {
			t.Errorf("counted %d days in %d records, want 150 days, each once", n, records)
		}
		if may := tally["May"]["1990"]; may.Count != 30 || may.End != "1990-05-30" {
			t.Errorf("150 days from 1990-01-01 end on 1990-05-30, not so: %+v", may)
		}
		whole := place{t: t, broker: p.broker, topic: newTopic(), dir: p.elsewhere().dir}
		whole.produce("--days", "150", "--duplicates", "0")
		whole.count()
		same(t, p.files(), whole.files())
	})
}

func TestResumeMendsAPartitionThatFellBehind(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		// January and March 1990: partition 1, with February, has nothing.
		days := someWeather(90)
		p.ok("produce", "--delay", "0", "--input", write(t, "no-february.csv", asCSV(slices.Delete(slices.Clone(days), 31, 59))))
		p.ok("produce", "--delay", "0", "--input", write(t, "all.csv", asCSV(days)), "--resume")
		p.count()
		p.tally().equals(t, counted(days))
		if n := p.offset(); n != 90 {
			t.Errorf("90 days are in %d records", n)
		}
	})
}

func TestResumeRefusesWhatItCannotMend(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		days := someWeather(60)
		p.ok("produce", "--delay", "0", "--input", write(t, "hole.csv", asCSV(slices.Delete(slices.Clone(days), 9, 11))))
		p.produceFails(days, "1990-01-10 (partition 2), 1990-01-11 (partition 2)", "hint: produce anew")
		p.count()
		if n := p.offset(); n != 58 {
			t.Errorf("it published something: %d records, want 58", n)
		}
	})
}

func (p place) produceFails(days []day, stderr ...string) {
	p.t.Helper()
	p.run("produce", "--resume", "--delay", "0", "--input", write(p.t, "days.csv", asCSV(days))).must(p.t, 1, stderr...)
}

func TestResumeOfWhatIsCompletePublishesNothing(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		input := write(t, "days.csv", asCSV(someWeather(40)))
		p.ok("produce", "--delay", "0", "--input", input)
		p.ok("produce", "--delay", "0", "--input", input, "--resume")
		p.count()
		if n := p.offset(); n != 40 {
			t.Errorf("the topic has %d records, want 40", n)
		}
	})
}

func TestAnotherTopicThatExistsIsLeftAlone(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "20", "--duplicates", "0")
		p.run("produce", "--days", "1").must(t, 1, "publish to "+p.topic, "exists already", "hint: --resume goes on")
		p.run("produce", "--days", "1", "--resume", "--partitions", "3").must(t, 1, "4, not 3", "hint: name the topic's own number")
		p.count()
		if n := p.offset(); n != 20 {
			t.Errorf("the topic has %d records, want 20", n)
		}
	})
}

func TestAProducerThatIsStoppedKnowsWhatItPublished(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		producer := p.launch("produce", "--delay", "1ms", "--duplicates", "0.2")
		consumer := p.launch("consume", "--all")
		consumer.awaits("50 records are counted", func() bool { return p.offset() >= 50 })
		stopped := producer.stop().must(t, 0)
		if stopped.took > limit/2 {
			t.Errorf("it took %v", stopped.took)
		}
		consumer.stop().must(t, 0)
		p.count()
		if n := published(t, stopped); int64(n) != p.offset() {
			t.Errorf("%d records were acknowledged, the topic has %d", n, p.offset())
		}
		p.ok("verify", "--all")
	})
}
