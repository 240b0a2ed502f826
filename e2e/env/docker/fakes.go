package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/panelgate/panelgate/e2e/env/containers"
	"github.com/panelgate/panelgate/fakes/binary"
	"github.com/panelgate/panelgate/internal/scratch"
)

const (
	fakesRepo = "panelgate/fakes"
	planFile  = "/plan.json"
)

// FakesImage implements containers.Engine: a static binary and nothing else. It is
// named by its source, so that it is made once and stays like a pulled one.
func (e *engine) FakesImage(ctx context.Context, named string) (string, error) {
	if named != "" {
		_, err := e.Image(ctx, named, func(int, int) {})
		return named, err
	}
	key, err := binary.Key(ctx, binary.Fakes, e.os, e.arch)
	if err != nil {
		return "", containers.NoFakes(err)
	}
	image := fakesRepo + ":" + key
	if _, err := e.api.ImageInspect(ctx, image); err == nil {
		return image, nil
	} else if !errdefs.IsNotFound(err) {
		return "", &containers.EngineError{Doing: "look for the image of the fakes", Err: err}
	}
	dir, err := scratch.Dir()
	if err != nil {
		return "", fmt.Errorf("make a directory for the fakes: %w", err)
	}
	return image, errors.Join(e.buildFakes(ctx, filepath.Join(dir, "fakes"), image), os.RemoveAll(dir))
}

func (e *engine) buildFakes(ctx context.Context, file, image string) error {
	if err := binary.Build(ctx, binary.Fakes, file, e.os, e.arch); err != nil {
		return containers.NoFakes(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the fakes: %w", err)
	}
	layer, err := fakesLayer(data)
	if err != nil {
		return err
	}
	stream, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: layer, SourceName: "-"}, image, client.ImageImportOptions{
		Message: "panelgate's fake exporters",
		Changes: []string{`ENTRYPOINT ["/fakes"]`, `USER 65532:65532`, `LABEL org.panelgate.fakes=true`},
	})
	if err == nil {
		err = importError(stream)
	}
	if err != nil {
		return &containers.EngineError{Doing: "import the image of the fakes", Err: err}
	}
	e.logger.Info("made the image of the fakes", "image", image, "bytes", len(data))
	return nil
}

// fakesLayer is the image's one layer.
func fakesLayer(binary []byte) (io.Reader, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: "fakes", Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return nil, fmt.Errorf("make the image of the fakes: %w", err)
	}
	if _, err := w.Write(binary); err != nil {
		return nil, fmt.Errorf("make the image of the fakes: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("make the image of the fakes: %w", err)
	}
	return &out, nil
}

// importError reads the engine's account of an import to its end.
func importError(stream io.ReadCloser) error {
	messages := json.NewDecoder(stream)
	for {
		var m struct{ Error string }
		err := messages.Decode(&m)
		switch {
		case errors.Is(err, io.EOF):
			return stream.Close()
		case err != nil:
			return errors.Join(err, stream.Close())
		case m.Error != "":
			return errors.Join(errors.New(m.Error), stream.Close())
		}
	}
}
