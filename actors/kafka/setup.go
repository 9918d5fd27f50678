package kafka

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/IBM/sarama"
)

// maxBatchBytes is the most that one batch of records may unpack to.
const maxBatchBytes = 64 << 20

// Setup sets what sarama, the client library, keeps in variables of the whole
// process: no batch of records may unpack to more than 64 MiB (one that does
// can't be read, where it would otherwise take any amount of memory), and what
// the library has to say goes to logger at level DEBUG.
//
// It touches every user of sarama in the process, so it is for a command to
// call, once, before anything else of this package runs. A library that embeds
// this package leaves both as its host has set them.
func Setup(logger *slog.Logger) {
	sarama.MaxDecompressedBatchSize = maxBatchBytes
	sarama.Logger = saramaLogger{logger}
	sarama.DebugLogger = saramaLogger{logger}
}

// saramaLogger is a sarama.StdLogger.
type saramaLogger struct{ to *slog.Logger }

func (l saramaLogger) Print(v ...any)            { l.log(fmt.Sprint(v...)) }
func (l saramaLogger) Printf(f string, v ...any) { l.log(fmt.Sprintf(f, v...)) }
func (l saramaLogger) Println(v ...any)          { l.log(fmt.Sprintln(v...)) }

func (l saramaLogger) log(text string) {
	text = strings.TrimSpace(text)
	// Said of every connection, since ours are kept by a dialer.
	if text == "using proxy" {
		return
	}
	l.to.Debug("kafka client", "text", text)
}
