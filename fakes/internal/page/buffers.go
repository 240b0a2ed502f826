package page

import "sync"

// Buffers are scrapes' bodies that have been written, to be filled again: a past of a day is thousands of scrapes. The zero Buffers is
// ready to use.
type Buffers struct{ free sync.Pool }

// With fills a body and has it used. Whoever uses it must not keep it.
func (b *Buffers) With(fill func([]byte) []byte, use func([]byte)) {
	body, _ := b.free.Get().(*[]byte)
	if body == nil {
		body = new([]byte)
	}
	*body = fill((*body)[:0])
	use(*body)
	b.free.Put(body)
}
