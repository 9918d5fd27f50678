package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// partitionFile is what a partition file says, in whatever layout.
type partitionFile struct {
	partition, offset int64
	months            map[monthYear]entry
}

// entry is what a partition file says of a month and year.
type entry struct {
	days
	avg float64
}

// parseFile reads a partition file of any layout. It demands the keys of the
// format, each once and no other, and values of the right kind; whether they
// are the right values is not its affair.
func parseFile(data []byte) (*partitionFile, error) {
	tree, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	f := &partitionFile{months: make(map[monthYear]entry)}
	top := fields{tree: tree}
	f.partition, f.offset = top.whole("partition"), top.whole("offset")
	if f.offset < 0 {
		top.fail(fmt.Errorf("offset is %d, want 0 or more", f.offset))
	}
	for month := time.January; month <= time.December; month++ {
		years, ok := top.object(month.String())
		if !ok {
			continue
		}
		for name := range years {
			year, err := parseYear(name)
			if err != nil {
				return nil, fmt.Errorf("%v: %w", month, err)
			}
			m := monthYear{month, year}
			if f.months[m], err = parseEntry(years[name]); err != nil {
				return nil, fmt.Errorf("%v: %w", m, err)
			}
		}
	}
	return f, top.finish()
}

func parseYear(name string) (int, error) {
	year, err := strconv.ParseUint(name, 10, 16)
	if err != nil || len(name) != 4 || year == 0 {
		return 0, fmt.Errorf("%.40q is not a year from 0001 to 9999", name)
	}
	return int(year), nil
}

func parseEntry(value any) (entry, error) {
	tree, ok := value.(map[string]any)
	if !ok {
		return entry{}, errors.New("not an object")
	}
	f := fields{tree: tree}
	e := entry{
		days: days{count: f.whole("count"), sum: f.float("sum"), start: f.text("start"), end: f.text("end")},
		avg:  f.float("avg"),
	}
	return e, f.finish()
}

// fields takes the members of an object away, one by one, and remembers the
// first that was missing or of the wrong kind.
type fields struct {
	tree map[string]any
	err  error
}

func (f *fields) take(key, want string) any {
	value, ok := f.tree[key]
	delete(f.tree, key)
	if !ok {
		f.fail(fmt.Errorf("no %q, want %s", key, want))
	}
	return value
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) text(key string) string {
	text, ok := f.take(key, "a string").(string)
	if !ok {
		f.fail(fmt.Errorf("%q is not a string", key))
	}
	return text
}

func (f *fields) float(key string) float64 {
	number, _ := f.take(key, "a number").(json.Number)
	v, err := number.Float64()
	if err != nil {
		f.fail(fmt.Errorf("%q is not a number that can be held", key))
	}
	return v
}

// whole reads an integer, which may be written as 31.0 or 3.1e1 too.
func (f *fields) whole(key string) int64 {
	number, _ := f.take(key, "a whole number").(json.Number)
	if n, err := number.Int64(); err == nil {
		return n
	}
	v, err := number.Float64()
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		f.fail(fmt.Errorf("%q is not a whole number", key))
	}
	return int64(v)
}

// object returns a member that may be missing.
func (f *fields) object(key string) (map[string]any, bool) {
	value, ok := f.tree[key]
	if !ok {
		return nil, false
	}
	delete(f.tree, key)
	object, ok := value.(map[string]any)
	if !ok {
		f.fail(fmt.Errorf("%q is not an object", key))
	}
	return object, true
}

// finish returns what went wrong; members that nobody took are wrong, too.
func (f *fields) finish() error {
	for _, key := range slices.Sorted(maps.Keys(f.tree)) {
		f.fail(fmt.Errorf("unknown key %.40q", key))
	}
	return f.err
}

// parseObject reads a JSON object into generic maps, numbers as they are
// written. Unlike json.Unmarshal it refuses a key that comes twice.
func parseObject(data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err == nil {
		switch _, end := decoder.Token(); end {
		case io.EOF:
		case nil:
			err = errors.New("something follows the end")
		default:
			err = end
		}
	} else if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		line := 1 + bytes.Count(data[:decoder.InputOffset()], []byte("\n"))
		return nil, fmt.Errorf("line %d: %w", line, err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("line 1: not an object")
	}
	return object, nil
}

// maxDepth is how deep the objects of a partition file are nested.
const maxDepth = 3

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil || token != json.Delim('{') {
		if delim, ok := token.(json.Delim); ok {
			err = fmt.Errorf("unexpected %q", delim.String())
		}
		return token, err
	}
	if depth == maxDepth {
		return nil, errors.New("objects are nested too deep")
	}
	object := make(map[string]any)
	for {
		token, err := decoder.Token()
		if err != nil || token == json.Delim('}') {
			return object, err
		}
		key := token.(string) // the decoder lets nothing else stand there
		if _, ok := object[key]; ok {
			return nil, fmt.Errorf("%.40q comes twice", key)
		}
		if object[key], err = parseValue(decoder, depth+1); err != nil {
			return nil, err
		}
	}
}
