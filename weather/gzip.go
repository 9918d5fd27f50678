package weather

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// ErrGzip says that a file compressed by gzip is damaged. One that is cut short
// is io.ErrUnexpectedEOF, too.
var ErrGzip = errors.New("damaged gzip")

// decompressed returns r, or what is compressed in it if it begins as gzip's
// files do, whatever its name is.
func decompressed(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	magic, _ := buffered.Peek(2) // an error comes again when the lines are read
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, gzipError(err)
	}
	return gzipText{z}, nil
}

// gzipText tells damage from errors of the reader below, which stay as they are.
type gzipText struct{ z *gzip.Reader }

func (t gzipText) Read(p []byte) (int, error) {
	n, err := t.z.Read(p)
	return n, gzipError(err)
}

func gzipError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it is cut short: %w", ErrGzip, err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return fmt.Errorf("%w: %w", ErrGzip, err)
	default:
		return err
	}
}
