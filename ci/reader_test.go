package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAReaderIsWaitedForAsLongAsTheRunMay(t *testing.T) {
	t.Parallel()
	out, in := io.Pipe()
	over := make(chan struct{})
	r := &reader{pipe: in, until: over}
	read := make(chan string)
	go func() {
		defer close(read)
		text := make([]byte, 5)
		_, err := io.ReadFull(out, text)
		assert.NoError(t, err)
		read <- string(text)
	}()
	_, err := io.WriteString(r, "first")
	require.NoError(t, err)
	assert.Equal(t, "first", <-read)

	close(over)
	_, err = io.WriteString(r, "second") // nobody reads it
	require.ErrorIs(t, err, errUnread)
	_, err = io.WriteString(r, "third") // nor is that waited for again
	require.ErrorIs(t, err, errUnread)
	require.NoError(t, out.Close()) // with which the second ends
	<-read
}

func TestASlowReaderStillHasTheEnd(t *testing.T) {
	t.Parallel()
	out, in := io.Pipe()
	over := make(chan struct{})
	close(over) // the run's time is up
	r := &reader{pipe: in, until: over}
	read := make(chan error)
	go func() {
		_, err := io.ReadFull(out, make([]byte, 3))
		read <- err
	}()
	n, err := io.WriteString(r, "end")
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	require.NoError(t, <-read)

	r.until = nil // as after a run that ended in time: then the writing is as patient as any
	go func() {
		_, err := io.ReadFull(out, make([]byte, 5))
		read <- err
	}()
	_, err = io.WriteString(r, "after")
	require.NoError(t, err)
	require.NoError(t, <-read)
}
