package triton

import (
	"encoding/binary"
	"slices"
)

// The order of a family's series is the iteration order of the std::unordered_map that prometheus-cpp keeps them in. It looks
// random and is not: it follows from the labels, the order of insertion and libstdc++'s hash and growth rules.

// label is a name and a value. Label sets are sorted by name.
type label struct{ name, value string }

// hashSeed is what libstdc++ seeds std::hash of a string with.
const hashSeed = 0xc70f6907

// hashString is std::hash<std::string> of 64-bit libstdc++, a variant of MurmurHash64A.
func hashString(s string) uint64 {
	const multiplier = 0xc6a4a7935bd1e995
	mix := func(v uint64) uint64 { return v ^ v>>47 }
	hash := uint64(hashSeed) ^ uint64(len(s))*multiplier
	rest := []byte(s)
	for ; len(rest) >= 8; rest = rest[8:] {
		word := binary.LittleEndian.Uint64(rest)
		hash = (hash ^ mix(word*multiplier)*multiplier) * multiplier
	}
	if len(rest) > 0 {
		var tail [8]byte
		copy(tail[:], rest)
		hash = (hash ^ binary.LittleEndian.Uint64(tail[:])) * multiplier
	}
	return mix(mix(hash) * multiplier)
}

// hashLabels is prometheus-cpp's hash of a label set.
func hashLabels(labels []label) uint64 {
	const golden = 0x9e3779b9
	var seed uint64
	combine := func(s string) { seed ^= hashString(s) + golden + seed<<6 + seed>>2 }
	for _, l := range labels {
		combine(l.name)
		combine(l.value)
	}
	return seed
}

// bucketCount is the size of a hash table after it has grown so many times: the steps in which libstdc++ grows one that is
// filled one by one.
func bucketCount(growth int) uint64 {
	return [...]uint64{1, 13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043}[growth]
}

// hashTable keeps keys as std::unordered_map does: one chain of all, each bucket's keys next to each other in it. A key's node is its
// number and one, as node 0 stands before the first.
type hashTable struct {
	hashes []uint64 // by key
	next   []int    // by node, 0 behind the last
	before []int    // by bucket: the node before its first; none where it is empty
	size   int
	growth int // how often it has grown, see bucketCount
}

// none is where a bucket has no node.
const none = -1

// first is the node before all others.
const first = 0

func (t *hashTable) bucket(node int) uint64 { return t.hashes[node-1] % bucketCount(t.growth) }

// insert adds the next key.
func (t *hashTable) insert(hash uint64) {
	if t.growth == 0 {
		t.next = []int{0}
	}
	if t.growth == 0 || uint64(t.size) >= bucketCount(t.growth) {
		t.grow()
	}
	t.hashes, t.next = append(t.hashes, hash), append(t.next, 0)
	t.size++
	t.link(len(t.hashes))
}

// grow takes the next size and links all keys anew, in the order they stand in.
func (t *hashTable) grow() {
	keys := t.keys()
	t.growth++
	t.before = make([]int, bucketCount(t.growth))
	for i := range t.before {
		t.before[i] = none
	}
	t.next[first] = 0
	for _, key := range keys {
		t.link(key + 1)
	}
}

// link puts a node before the first of its bucket, or before all others where the bucket is empty.
func (t *hashTable) link(node int) {
	bucket := t.bucket(node)
	if before := t.before[bucket]; before != none {
		t.next[node], t.next[before] = t.next[before], node
		return
	}
	pushed := t.next[first]
	t.next[node], t.next[first] = pushed, node
	t.before[bucket] = first
	if pushed != 0 {
		t.before[t.bucket(pushed)] = node
	}
}

// erase removes a key. The table stays as large as it is.
func (t *hashTable) erase(key int) {
	node := key + 1
	bucket := t.bucket(node)
	before := t.before[bucket]
	wasFirst := t.next[before] == node
	for t.next[before] != node {
		before = t.next[before]
	}
	behind := t.next[node]
	t.next[before] = behind
	if behind != 0 && t.bucket(behind) != bucket {
		t.before[t.bucket(behind)] = before
	}
	if wasFirst && (behind == 0 || t.bucket(behind) != bucket) {
		t.before[bucket] = none
	}
	t.size--
}

// keys are all keys in iteration order.
func (t *hashTable) keys() []int {
	keys := make([]int, 0, t.size)
	for node := t.next[first]; node != 0; node = t.next[node] {
		keys = append(keys, node-1)
	}
	return keys
}

// printOrder is the order in which prometheus-cpp prints series that were added in the order given, as indices into it. Those of
// models that have been unloaded since count too, as they have left the table larger; they are not in the answer.
func printOrder(added []series) []int {
	var leaving []int
	for i, s := range added {
		if !s.to.IsZero() {
			leaving = append(leaving, i)
		}
	}
	slices.SortStableFunc(leaving, func(a, b int) int { return added[a].to.Compare(added[b].to) })
	if len(added) == 0 {
		return nil
	}
	var t hashTable
	for _, s := range added {
		for len(leaving) > 0 && !added[leaving[0]].to.After(s.from) {
			t.erase(leaving[0])
			leaving = leaving[1:]
		}
		t.insert(hashLabels(s.labels))
	}
	return slices.DeleteFunc(t.keys(), func(i int) bool { return added[i].gone })
}
