package kafka

import (
	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// scramClient fits one SCRAM conversation to sarama's interface. It refuses a
// broker that can't prove that it knows the password, too.
type scramClient struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

func newSCRAM256() sarama.SCRAMClient { return &scramClient{hash: scram.SHA256} }
func newSCRAM512() sarama.SCRAMClient { return &scramClient{hash: scram.SHA512} }

func (s *scramClient) Begin(user, password, authzID string) error {
	client, err := s.hash.NewClient(user, password, authzID)
	if err != nil {
		return err
	}
	s.conversation = client.NewConversation()
	return nil
}

func (s *scramClient) Step(challenge string) (string, error) {
	return s.conversation.Step(challenge)
}

func (s *scramClient) Done() bool { return s.conversation.Done() }
