package weather

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// ErrGzip says that a file compressed by gzip is damaged. One that is cut short
// is io.ErrUnexpectedEOF, too.
var ErrGzip = errors.New("damaged gzip")

// gzipMagic is how a file begins that gzip made.
const gzipMagic = "\x1f\x8b"

// decompressed returns r, or what is compressed in it if it begins as gzip's
// files do, whatever its name is.
func decompressed(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	magic, _ := buffered.Peek(len(gzipMagic)) // an error comes again when the lines are read
	if string(magic) != gzipMagic {
		return buffered, nil
	}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, gzipError(err)
	}
	z.Multistream(false)
	return &gzipText{z, buffered}, nil
}

// gzipText is the text of one gzip file, or of several in a row. It tells damage
// from errors of the reader below, which stay as they are.
type gzipText struct {
	z    *gzip.Reader
	file *bufio.Reader
}

func (t *gzipText) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		if n, err = t.z.Read(p); errors.Is(err, io.EOF) {
			err = t.next()
		}
	}
	return n, gzipError(err)
}

// next goes on with the next gzip file in a row, or returns io.EOF after the last.
func (t *gzipText) next() error {
	magic, err := t.file.Peek(len(gzipMagic))
	switch {
	case len(magic) == 0, err != nil && !errors.Is(err, io.EOF):
		return err
	case string(magic) != gzipMagic:
		return fmt.Errorf("%w: what follows its end is not gzip", ErrGzip)
	}
	err = t.z.Reset(t.file)
	t.z.Multistream(false)
	return err
}

// damage returns ErrGzip if the rest of a compressed text shows that it is
// damaged: what its lines seem to say is nobody's mistake then.
func damage(text, rest io.Reader) error {
	if _, ok := text.(*gzipText); !ok {
		return nil
	}
	if _, err := io.Copy(io.Discard, rest); errors.Is(err, ErrGzip) {
		return err
	}
	return nil
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
