package kafka

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// refusals are answers that stay the same however often a broker is asked:
// somebody has to change a password or a permission first.
var refusals = []error{
	sarama.ErrSASLAuthenticationFailed,
	sarama.ErrUnsupportedSASLMechanism,
	sarama.ErrIllegalSASLState,
	sarama.ErrTopicAuthorizationFailed,
	sarama.ErrGroupAuthorizationFailed,
	sarama.ErrClusterAuthorizationFailed,
	sarama.ErrTransactionalIDAuthorizationFailed,
}

// refused tells whether a broker refuses to serve this program.
func refused(err error) bool {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// ErrRefused: a broker refuses to serve this user: the password is wrong, or a
// permission is missing.
var ErrRefused = errors.New("refused")

// markRefused puts an error of a broker or a connection into words, and marks it
// as permanent and ErrRefused if it is a broker's refusal.
func markRefused(err error) error {
	if refused(err) {
		return messages.Permanent(&worded{err, []error{err, ErrRefused}})
	}
	return inWords(err)
}

// inWords makes an error of the libraries below read like one of ours.
func inWords(err error) error {
	if err == nil {
		return nil
	}
	return &worded{err, []error{err}}
}

// worded is an error that reads like one of ours.
type worded struct {
	error
	wraps []error
}

func (w *worded) Unwrap() []error { return w.wraps }

// Error leaves out what whoever wraps it says, too: the library, the address.
func (w *worded) Error() string {
	text := w.error.Error()
	if network, ok := errors.AsType[*net.OpError](w.error); ok && network.Op != "remote error" {
		plain := network.Err.Error()
		if call, ok := errors.AsType[*os.SyscallError](network.Err); ok {
			plain = call.Err.Error()
		}
		text = strings.Replace(text, network.Error(), plain, 1)
	}
	text = strings.Replace(text, "kafka: client has run out of available brokers to talk to", "no broker answers", 1)
	if before, hungUp := strings.CutSuffix(text, "EOF"); hungUp && errors.Is(w.error, io.EOF) {
		text = before + "the broker closed the connection"
	}
	const library = "kafka server: "
	if before, answer, found := strings.Cut(text, library); found && answer != "" {
		text = before + "the broker says: " + strings.ToLower(answer[:1]) + answer[1:]
	}
	return text
}
