package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Read reads a recording, or a plain text scrape as one of a single scrape at an unknown time. Errors say at which byte.
func Read(data []byte, limits Limits) (*Recording, error) {
	limits = limits.orDefault()
	if len(data) > limits.File {
		return nil, &Error{Offset: int64(limits.File), Err: fmt.Errorf("the file has %d bytes, more than the %d that are read", len(data), limits.File)}
	}
	if !bytes.HasPrefix(data, []byte(magic)) {
		return plain(data, limits)
	}
	first, rest, whole := bytes.Cut(data, []byte("\n"))
	version, err := strconv.Atoi(string(first[len(magic):]))
	switch {
	case !whole || err != nil:
		return nil, &Error{Offset: int64(len(magic)), Err: errors.New("the first line names no version")}
	case version != Version:
		return nil, &Error{Offset: int64(len(magic)), Err: fmt.Errorf("this is version %d of the format; version %d is read here", version, Version)}
	}
	source := bytes.NewReader(rest)
	// The window is what the stream may ask for; more than any writer's is refused rather than allocated.
	z, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(2*window), zstd.WithDecoderMaxMemory(uint64(limits.Bytes)+window), //nolint:gosec // a limit is no negative number
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, &Error{Offset: int64(len(first)) + 1, Err: err}
	}
	defer z.Close()
	in := &reader{limits: limits}
	in.text = bufio.NewReader(&counted{in: z, left: int64(limits.Bytes), failed: func(err error) error {
		return &Error{Offset: int64(len(data) - source.Len()), Err: err}
	}})
	r, err := in.recording()
	if err != nil {
		return nil, err
	}
	if source.Len() > 0 {
		return nil, &Error{Offset: int64(len(data) - source.Len()), Err: errors.New("something stands behind the end")}
	}
	return r, nil
}

// plain is a body as curl saves it.
func plain(data []byte, limits Limits) (*Recording, error) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return nil, &Error{Err: errors.New("this is gzip: unpack it first, or record with panelgate record")}
	}
	r := &Recording{Scrapes: []Scrape{{Status: http.StatusOK, Header: http.Header{}, Body: data}}}
	if _, err := r.Scrapes[0].validate(limits); err != nil {
		return nil, fmt.Errorf("as a plain text scrape: %w", err)
	}
	return r, nil
}

// counted fails where more comes out than may, and says of what fails below where in the file that was.
type counted struct {
	in     io.Reader
	left   int64
	failed func(error) error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, c.failed(errors.New("it is larger, once decompressed, than what is read"))
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, c.failed(errors.New("the compressed part ends too early: the file is cut off"))
	case err != nil && !errors.Is(err, io.EOF):
		return n, c.failed(err)
	}
	return n, err
}

// reader reads the decompressed text.
type reader struct {
	text   *bufio.Reader
	offset int64
	limits Limits
}

// fail says where. What already says so is left alone.
func (r *reader) fail(at int64, err error) error {
	var placed *Error
	if errors.As(err, &placed) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early: the file is cut off")
	}
	return &Error{Offset: at, Inside: true, Err: err}
}

func (r *reader) recording() (*Recording, error) {
	var h head
	if err := r.line(&h); err != nil {
		return nil, err
	}
	out := &Recording{URL: h.URL, Every: time.Duration(h.EveryMS) * time.Millisecond, Redacted: h.Redacted}
	if h.EveryMS < 0 || h.EveryMS > (1<<63-1)/int64(time.Millisecond) {
		return nil, r.fail(0, fmt.Errorf("every_ms is %d", h.EveryMS))
	}
	for {
		start := r.offset
		var e entry
		if err := r.line(&e); err != nil {
			return nil, err
		}
		if e.End {
			break
		}
		if len(out.Scrapes) == r.limits.Scrapes {
			return nil, r.fail(start, fmt.Errorf("it has more than the %d scrapes that are read", r.limits.Scrapes))
		}
		s, err := r.scrape(e)
		if err != nil {
			return nil, r.fail(start, fmt.Errorf("scrape %d: %w", len(out.Scrapes)+1, err))
		}
		if n := len(out.Scrapes); n > 0 && !s.At.After(out.Scrapes[n-1].At) {
			return nil, r.fail(start, fmt.Errorf("scrape %d: it was not made after the one before", n+1))
		}
		out.Scrapes = append(out.Scrapes, s)
	}
	if len(out.Scrapes) == 0 {
		return nil, r.fail(r.offset, errors.New("it has no scrape"))
	}
	if _, err := r.text.ReadByte(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("something stands behind the end")
		}
		return nil, r.fail(r.offset, err)
	}
	return out, nil
}

// most is how long a line of JSON may be.
const most = 64 << 10

// line reads a line of JSON. What it has beyond what is known here is passed over.
func (r *reader) line(into any) error {
	start := r.offset
	var text []byte
	for {
		part, err := r.text.ReadSlice('\n')
		r.offset += int64(len(part))
		if text = append(text, part...); len(text) > most {
			return r.fail(start, errors.New("a line about a scrape is too long"))
		}
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return r.fail(r.offset, err)
		}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return r.fail(start, fmt.Errorf("the line about the recording or a scrape: %w", err))
	}
	return nil
}

func (r *reader) scrape(e entry) (Scrape, error) {
	if e.Bytes <= 0 || e.Bytes > r.limits.Body {
		return Scrape{}, fmt.Errorf("it says that it has %d bytes; 1 to %d are read", e.Bytes, r.limits.Body)
	}
	// What a line says is not allocated before it is there.
	var body bytes.Buffer
	n, err := io.CopyN(&body, r.text, int64(e.Bytes)+1)
	r.offset += n
	if err != nil {
		return Scrape{}, r.fail(r.offset, err)
	}
	text := body.Bytes()
	if text[e.Bytes] != '\n' {
		return Scrape{}, fmt.Errorf("its body is longer than the %d bytes that it says", e.Bytes)
	}
	s := Scrape{Status: e.Status, Header: Kept(e.Header), Body: text[:e.Bytes:e.Bytes]}
	if e.At != 0 {
		if e.At < 0 || e.At > 1<<45 { // the year 3084
			return Scrape{}, fmt.Errorf("at_ms is %d", e.At)
		}
		s.At = time.UnixMilli(e.At).UTC()
	}
	for name, values := range s.Header {
		if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
			return Scrape{}, fmt.Errorf("its header %s has a line break", name)
		}
	}
	samples, err := s.validate(r.limits)
	r.limits.Samples -= samples
	return s, err
}
