package metrics

import "github.com/prometheus/client_golang/prometheus"

// all are the metrics that there can be, each of which describe has added.
var all []*prometheus.Desc

var (
	buildInfo = describe("build_info", "A constant 1; the labels say which version of the program runs, and which Go built it.", "version", "goversion")
	ready     = describe("ready", "Whether all that is to be counted is, up to a moment ago: what /readyz says.")
	troubled  = describe("trouble", "Whether that goes wrong at the moment; partition is empty where it is about none.", "partition", "trouble")
	pictures  = describe("pictures_drawn_total", "How often the picture was replaced.")

	partitionReady   = describe("partition_ready", "Whether the partition keeps up, and is saved.", "partition")
	partitionState   = describe("partition_state", "1 for what the partition is doing, 0 for all else.", "partition", "state")
	records          = describe("records_total", "Records read, by what became of them; after a restart, those that were not saved come once more.", "partition", "outcome")
	recordsAgain     = describe("records_reread_total", "Records that were read once more after a restart, by their offsets.", "partition")
	restarts         = describe("restarts_total", "How often the partition's actors were started again, or the run ended, by which of them had failed.", "partition", "role")
	offset           = describe("partition_offset", "The next record to read.", "partition")
	savedOffset      = describe("partition_saved_offset", "The next record to read as the partition's file has it.", "partition")
	lastStableOffset = describe("partition_last_stable_offset", "End of what is committed, as last heard.", "partition")
	lagRecords       = describe("partition_lag_records", "Records still to read.", "partition")
	lagSeconds       = describe("partition_lag_seconds", "How long ago the last record read was written, while there are more to read; 0 if there are none.", "partition")

	checkpointSeconds  = describe("checkpoint_duration_seconds", "How long checkpoints took to become durable.", "partition")
	checkpointFailures = describe("checkpoint_failures_total", "How often a checkpoint could not be saved; it is tried again.", "partition")
	checkpointTime     = describe("checkpoint_last_timestamp_seconds", "When the last checkpoint became durable, in seconds since 1970.", "partition")
	checkpointBytes    = describe("checkpoint_size_bytes", "Size of the partition's file.", "partition")
	rejectBytes        = describe("rejects_size_bytes", "Size of the records kept aside, which can't be counted.", "partition")

	handedOver   = describe("reports_handed_over_total", "Reports handed over to the broker.")
	acknowledged = describe("reports_acknowledged_total", "Reports that the broker has acknowledged: they are in the log.")
	repeats      = describe("reports_repeated_total", "Acknowledged reports that repeat an earlier date, on purpose.")
	retries      = describe("produce_retries_total", "How often something had to be tried again, as of the latest acknowledgement.")
	inFlight     = describe("reports_in_flight", "Reports handed over and not acknowledged yet.")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc("weatheractors_"+name, help, labels, nil)
	all = append(all, d)
	return d
}
