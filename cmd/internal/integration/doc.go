// Package integration has tests only: they run the program as its users do, as
// processes against real brokers, beside programs that other people wrote.
//
//	go test ./cmd/internal/integration
//
// builds the program once and runs every test on the development broker
// (weatheractors broker). The environment says what else there is:
//
//   - WEATHERACTORS_TEST_BROKERS=host:port: every test runs on this Apache Kafka
//     as well. Each has topics of its own and leaves them behind.
//   - WEATHERACTORS_TEST_KAFKA=folder: where `.ci/kafka run`, which sets it, keeps
//     that Apache Kafka. Tests with such a name need it, and start clusters of
//     their own in there, whose nodes they kill.
//   - WEATHERACTORS_TEST_OUTAGES=n: how often each kind of outage comes about.
//   - WEATHERACTORS_TEST_PYTHON=path: a Python with the packages of
//     .ci/requirements.txt. Tests with an independent client or an independent
//     recount need it, and are skipped without it; where CI=true they fail.
//   - WEATHERACTORS_TEST_KILLS=n: how many times the processes of the kill test
//     are killed.
//   - WEATHERACTORS_TEST_SEED=n: the moments of those kills, as a failure
//     printed it.
//   - WEATHERACTORS_TEST_CRASHPOINTS=n: at how many of its system calls on files
//     a consumer is killed, and how many are let fail, in each way and story;
//     with a large number at each of them.
//
// With -race the program that is run is built with the race detector, too.
//
// The tests share nothing with the program but its command line, its output and
// its files; the expected values are computed here, or in testdata by Python.
package integration
