package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/testcontainers/testcontainers-go"
)

// loadImage gives the Docker engine an image that `docker save` has written, and
// returns what it is called there.
func loadImage(ctx context.Context, file string) (name string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	client, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	answer, err := client.ImageLoad(ctx, f)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, answer.Close()) }()
	return loadedImage(answer)
}

// loadedImage reads the engine's answer: it names the image, or its id where the
// file gives it no name.
func loadedImage(answer io.Reader) (string, error) {
	var names []string
	for dec := json.NewDecoder(answer); ; {
		var line struct {
			Stream string `json:"stream"`
			Error  string `json:"error"`
		}
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", fmt.Errorf("read the engine's answer: %w", err)
		}
		if line.Error != "" {
			return "", errors.New(line.Error)
		}
		for _, before := range []string{"Loaded image ID: ", "Loaded image: "} {
			if name, ok := strings.CutPrefix(line.Stream, before); ok {
				names = append(names, strings.TrimSpace(name))
			}
		}
	}
	switch len(names) {
	case 0:
		return "", errors.New("the engine found no image in it: want what docker save writes")
	case 1:
		return names[0], nil
	}
	return "", fmt.Errorf("it has %d images, and one is wanted: %s", len(names), strings.Join(names, ", "))
}

// unpack loads the images that are in tarballs.
func (m *matrixRun) unpack(ctx context.Context) error {
	loaded := map[string]string{}
	for i := range m.cells {
		for j := range m.cells[i].Choices {
			v := &m.cells[i].Choices[j].Value
			file, ok := v.Tarball()
			if !ok {
				continue
			}
			if loaded[file] == "" {
				m.progress.Show("loading "+file, 0, 0)
				image, err := loadImage(ctx, file)
				if err != nil {
					return fmt.Errorf("load the image in %s: %w", file, err)
				}
				loaded[file] = image
			}
			v.Image = loaded[file]
		}
	}
	return nil
}
