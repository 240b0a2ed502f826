package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/distribution/reference"

	"github.com/panelgate/panelgate/e2e/exporter"
)

// ParseAxis reads an axis as the command line writes it: "11.6.1,12.3.0", and of an
// exporter "20.06..24.07" for every release from one to the other.
func ParseAxis(name, text string) (Axis, error) {
	a := Axis{Name: name}
	if slices.Contains(Exporters(), name) {
		values, err := releases(name, text)
		a.Values = values
		if err == nil {
			_, err = a.tellApart(nil)
		}
		return a, err
	}
	for _, one := range strings.Split(text, ",") {
		v, err := parseValue(name, strings.TrimSpace(one))
		if err != nil {
			return a, err
		}
		a.Values = append(a.Values, v)
	}
	_, err := a.tellApart(nil)
	return a, err
}

// releases are the values of an exporter's axis: versions, and ranges of them.
func releases(axis, text string) ([]Value, error) {
	versions, err := exporter.Versions(axis, text)
	if err != nil {
		return nil, err
	}
	var out []Value
	for _, v := range versions {
		out = append(out, Value{Name: v})
	}
	return out, nil
}

// parseValue reads a tag, an image or a tarball.
func parseValue(axis, text string) (Value, error) {
	switch file, tarred := strings.CutPrefix(text, tarball); {
	case text == "":
		return Value{}, fmt.Errorf("a version of %s is empty", axis)
	case strings.Contains(text, "://"):
		return Value{}, errors.New("this is a URL: want a version, an image, or tar:FILE") // not repeated: it may hold a password
	case tarred && file == "":
		return Value{}, errors.New("tar: names no file, as tar:images/grafana.tar would")
	case tarred:
		return Value{Name: tarName(file), Image: text}, nil
	case strings.ContainsAny(text, "/:@"):
		return imageValue(text)
	case reference.TagRegexp.FindString(text) != text:
		return Value{}, fmt.Errorf("%q is neither a tag, as 12.3.1, nor an image, as grafana/grafana:12.3.1, nor tar:FILE", text)
	}
	return Value{Name: text, Tag: text}, nil
}

// imageValue reads an image of a certain version, by which it is called.
func imageValue(text string) (Value, error) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return Value{}, fmt.Errorf("image %q: %w", text, err)
	}
	if tagged, ok := named.(reference.Tagged); ok {
		return Value{Name: tagged.Tag(), Image: text}, nil
	}
	if digested, ok := named.(reference.Digested); ok {
		const enough = 12
		return Value{Name: digested.Digest().Encoded()[:enough], Image: text}, nil
	}
	return Value{}, fmt.Errorf("image %q names no version: add one, as in %s:12.3.1", text, text)
}

// tarName is what an image in a file is called: the file's name, without its ending where
// it has another part.
func tarName(file string) string {
	base := filepath.Base(file)
	name := base
	for _, ext := range []string{".gz", ".tgz", ".tar"} {
		name = strings.TrimSuffix(name, ext)
	}
	return cmp.Or(name, base)
}

// tellApart refuses two values of one name. Of two images with the same tag, of
// grafana and of grafana-oss, say, each takes its whole reference as its name. named
// says which values have been given their names. The value that is refused is
// returned.
func (a *Axis) tellApart(named map[int]bool) (wrong int, err error) {
	most := mostValues
	if slices.Contains(Exporters(), a.Name) {
		most = mostReleases
	}
	if len(a.Values) > most {
		return most, fmt.Errorf("%s has more than %d values", a.Name, most)
	}
	count := map[string]int{}
	for _, v := range a.Values {
		count[v.Name]++
	}
	taken := map[string]bool{}
	for i := range a.Values {
		v := &a.Values[i]
		if count[v.Name] > 1 && v.Image != "" && !named[i] {
			v.Name = v.Image
		}
		switch {
		case taken[v.Name]:
			return i, fmt.Errorf("%s %q stands twice: every value needs a name of its own", a.Name, v.Name)
		case len(v.Name) > mostName && named[i]:
			return i, fmt.Errorf("a name has %d bytes at the most", mostName)
		case !utf8.ValidString(v.Name) || strings.ContainsFunc(v.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
			return i, fmt.Errorf("the name %q does not print", v.Name)
		}
		taken[v.Name] = true
	}
	return 0, nil
}

// On resolves tags: each becomes the image that the compose file names for the
// server, with this tag. images has the compose file's image of each server, ""
// where it names none.
func (p *Plan) On(images map[string]string) error {
	for i := range p.Axes {
		axis := &p.Axes[i]
		for j := range axis.Values {
			v := &axis.Values[j]
			if v.Tag == "" {
				continue
			}
			image, err := withTag(images[axis.Name], v.Tag)
			if err != nil {
				return v.errorf("%s %s: %w", axis.Name, v.Name, err)
			}
			v.Image, v.Tag = image, ""
		}
	}
	return nil
}

// withTag is an image with another tag. A digest is dropped: it is another image's.
// Tags begin with a v, or do not, as the image's own one does.
func withTag(image, tag string) (string, error) {
	if image == "" {
		return "", errors.New("the compose file names no image that a tag could be of: write the whole image, as grafana/grafana:12.3.1")
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", fmt.Errorf("the compose file's image %q: %w", image, err)
	}
	if own, ok := named.(reference.Tagged); ok && isV(own.Tag()) && !isV(tag) && startsWithDigit(tag) {
		tag = "v" + tag
	}
	tagged, err := reference.WithTag(reference.TrimNamed(named), tag)
	if err != nil {
		return "", fmt.Errorf("tag %q: %w", tag, err)
	}
	return reference.FamiliarString(tagged), nil
}

func isV(tag string) bool { return strings.HasPrefix(tag, "v") && startsWithDigit(tag[1:]) }

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// Mirrored replaces every image that comes from a registry by what mirror makes of its
// reference, for machines that reach only a mirror.
func (p *Plan) Mirrored(mirror func(image string) (string, error)) error {
	for i := range p.Axes {
		for j := range p.Axes[i].Values {
			v := &p.Axes[i].Values[j]
			if _, tarred := v.Tarball(); tarred || v.Image == "" {
				continue
			}
			image, err := mirror(v.Image)
			if err != nil {
				return v.errorf("%w", err)
			}
			v.Image = image
		}
	}
	return nil
}

// errorf is an error about a value, with its position where it stands in a file.
func (v Value) errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if v.Pos.IsZero() {
		return fmt.Errorf("--%w", err)
	}
	return fmt.Errorf("%s: %w", v.Pos, err)
}

// variable is what an environment variable may be called.
func variable(name string) bool {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name)
}

// below makes the path of a tarball in a file's value relative to that file.
func (v *Value) below(file string) {
	if name, ok := v.Tarball(); ok && !filepath.IsAbs(name) && !path.IsAbs(name) {
		v.Image = tarball + filepath.Join(filepath.Dir(file), name)
	}
}
