package kept

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
)

// format is the version of the keys and of the entries: both change with it.
const format = 1

// Key says by its content what was asked. Two runs have the same key only where every
// part of what they were made of is the same, byte by byte.
type Key [sha256.Size]byte

// String is the key as a file is named after it.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Part is one named thing that a verdict depends on.
type Part struct {
	Name string // as a person would call it: "prometheus.yml", "the scenario"
	Sum  [sha256.Size]byte
}

// KeyOf is the key of parts, in their order. Names and sums are told apart by their
// lengths, so that no two lists of parts run into each other.
func KeyOf(kind string, parts []Part) Key {
	h := sha256.New()
	d := &digest{h: h}
	d.text(fmt.Sprintf("panelgate %d", format))
	d.text(kind)
	d.number(uint64(len(parts)))
	for _, p := range parts {
		d.text(p.Name)
		h.Write(p.Sum[:])
	}
	return Key(h.Sum(nil))
}

// Within is the key of a part of something that has a key of its own.
func (k Key) Within(kind string, parts ...Part) Key {
	return KeyOf(kind, append([]Part{{Name: "within", Sum: k}}, parts...))
}

// PartOf sums up values of any type, down to the last unexported field: whatever is
// added to a type tomorrow counts without anybody having to think of it. Where dir is
// not "", paths below it are taken relative to it, so that checkouts of one stack at
// several places are the same. Functions and channels have no content: a value that
// holds one is refused.
func PartOf(name, dir string, values ...any) (Part, error) {
	d := &digest{h: sha256.New(), dir: dir, seen: map[visit]uint64{}}
	d.number(uint64(len(values)))
	for _, v := range values {
		if err := d.value(reflect.ValueOf(v)); err != nil {
			return Part{}, fmt.Errorf("sum up %s: %w", name, err)
		}
	}
	return Part{Name: name, Sum: [sha256.Size]byte(d.h.Sum(nil))}, nil
}

// digest writes values in a form that can be read in one way only: each begins with its
// type and, where its length varies, with that.
type digest struct {
	h    hash.Hash
	dir  string
	seen map[visit]uint64 // pointers by when they were met first: models have circles
}

// visit is a pointer of a type: a struct and its first field are at the same address.
type visit struct {
	at  uintptr
	typ reflect.Type
}

func (d *digest) number(n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	d.h.Write(b[:])
}

func (d *digest) text(s string) {
	d.number(uint64(len(s)))
	d.h.Write([]byte(s))
}

// path is a text that may be a path below the directory.
func (d *digest) path(s string) string {
	if d.dir == "" || !strings.HasPrefix(s, d.dir) {
		return s
	}
	if rest := s[len(d.dir):]; rest == "" || rest[0] == filepath.Separator {
		return "\x00dir" + filepath.ToSlash(rest)
	}
	return s
}

func (d *digest) value(v reflect.Value) error {
	if !v.IsValid() {
		d.text("nil")
		return nil
	}
	d.text(v.Type().String())
	if v.Type() == reflect.TypeFor[time.Time]() {
		return d.moment(v)
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			d.number(1)
		} else {
			d.number(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.number(uint64(v.Int())) //nolint:gosec // the bits are what counts
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		d.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		d.number(math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		d.number(math.Float64bits(real(v.Complex())))
		d.number(math.Float64bits(imag(v.Complex())))
	case reflect.String:
		d.text(d.path(v.String()))
	case reflect.Pointer:
		return d.pointer(v)
	case reflect.Interface:
		return d.value(v.Elem())
	case reflect.Struct:
		if v.Type().PkgPath() == "weak" { // leads to what may be gone, which is made of the rest anew
			return nil
		}
		for i := range v.NumField() {
			if err := d.value(v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
			}
		}
	case reflect.Slice, reflect.Array:
		return d.list(v)
	case reflect.Map:
		return d.table(v)
	default:
		if v.Kind() == reflect.Func && v.IsNil() {
			d.text("nil")
			return nil
		}
		return fmt.Errorf("a %s has no content", v.Type())
	}
	return nil
}

// moment writes a time without what its location has remembered.
func (d *digest) moment(v reflect.Value) error {
	if !v.CanInterface() { // of a field that is not exported
		if !v.IsZero() {
			return errors.New("a time in a field that cannot be read")
		}
		d.text("zero")
		return nil
	}
	at, ok := v.Interface().(time.Time)
	if !ok || at.IsZero() {
		d.text("zero")
		return nil
	}
	d.text(at.Format(time.RFC3339Nano))
	return nil
}

// pointer follows a pointer once: where it is met again, that it is the same one says it
// all.
func (d *digest) pointer(v reflect.Value) error {
	if v.IsNil() {
		d.text("nil")
		return nil
	}
	at := visit{v.Pointer(), v.Type()}
	if n, met := d.seen[at]; met {
		d.text("again")
		d.number(n)
		return nil
	}
	d.seen[at] = uint64(len(d.seen))
	return d.value(v.Elem())
}

func (d *digest) list(v reflect.Value) error {
	if v.Kind() == reflect.Slice && v.IsNil() {
		d.text("nil")
		return nil
	}
	d.number(uint64(v.Len()))
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		d.h.Write(v.Bytes())
		return nil
	}
	for i := range v.Len() {
		if err := d.value(v.Index(i)); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

// table writes a map in the order of its keys, which are of simple kinds.
func (d *digest) table(v reflect.Value) error {
	if v.IsNil() {
		d.text("nil")
		return nil
	}
	keys := v.MapKeys()
	switch v.Type().Key().Kind() {
	case reflect.String:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	case reflect.Int, reflect.Int64:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.Int(), b.Int()) })
	default:
		return fmt.Errorf("the keys of a %s have no order", v.Type())
	}
	d.number(uint64(len(keys)))
	for _, k := range keys {
		if err := d.value(k); err != nil {
			return err
		}
		if err := d.value(v.MapIndex(k)); err != nil {
			return fmt.Errorf("[%v]: %w", k, err)
		}
	}
	return nil
}
