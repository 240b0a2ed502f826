package env

import (
	"fmt"
	"io"
)

// ReadAtMost reads what a server answers to its end, and not without end: more than so
// many bytes are an error, and the rest is left where it is.
func ReadAtMost(body io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case int64(len(data)) > most:
		return nil, fmt.Errorf("the answer is over %d MiB", most>>20)
	}
	return data, nil
}
