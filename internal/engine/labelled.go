package engine

import (
	"context"
	"errors"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// Labelled names the containers, networks and volumes that carry a label.
func Labelled(label string) (names []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	with := client.Filters{}.Add("label", label)
	containers, err := c.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: with})
	if err != nil {
		return nil, err
	}
	for _, one := range containers.Items {
		names = append(names, "container "+one.ID[:12]+" of "+one.Image)
	}
	networks, err := c.NetworkList(ctx, client.NetworkListOptions{Filters: with})
	if err != nil {
		return nil, err
	}
	for _, one := range networks.Items {
		names = append(names, "network "+one.Name)
	}
	volumes, err := c.VolumeList(ctx, client.VolumeListOptions{Filters: with})
	if err != nil {
		return nil, err
	}
	for _, one := range volumes.Items {
		names = append(names, "volume "+one.Name)
	}
	return names, nil
}

// Kill ends the containers that carry a label and were made of an image.
func Kill(ctx context.Context, label, image string) error {
	return toEach(ctx, label, image, func(c *testcontainers.DockerClient, id string) error {
		_, err := c.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
		return err
	})
}

// Pause stops the containers that carry a label and were made of an image where they are:
// they take connections, and answer nothing.
func Pause(ctx context.Context, label, image string) error {
	return toEach(ctx, label, image, func(c *testcontainers.DockerClient, id string) error {
		_, err := c.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

func toEach(ctx context.Context, label, image string, do func(c *testcontainers.DockerClient, id string) error) (err error) {
	c, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	found, err := c.ContainerList(ctx, client.ContainerListOptions{Filters: client.Filters{}.Add("label", label).Add("ancestor", image)})
	if err != nil {
		return err
	}
	if len(found.Items) == 0 {
		return errors.New("no container of " + image + " carries " + label)
	}
	for _, one := range found.Items {
		if err := do(c, one.ID); err != nil {
			return err
		}
	}
	return nil
}
