package kafka

import (
	"errors"

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

// markRefused marks err as permanent if it is a broker's refusal.
func markRefused(err error) error {
	if refused(err) {
		return messages.Permanent(err)
	}
	return err
}
