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

// hashTable keeps keys as std::unordered_map does: one list of all, each bucket's keys next to each other in it.
type hashTable struct {
	hashes  []uint64 // by key
	buckets []uint64 // by key, at the present size
	list    []int    // keys in iteration order
	growth  int      // how often it has grown, see bucketCount
}

// insert adds the next key.
func (t *hashTable) insert(hash uint64) {
	key := len(t.hashes)
	t.hashes = append(t.hashes, hash)
	if t.growth == 0 || uint64(len(t.list)) >= bucketCount(t.growth) {
		t.grow()
	}
	t.buckets = append(t.buckets, hash%bucketCount(t.growth))
	t.link(key)
}

// erase removes a key. The table stays as large as it is.
func (t *hashTable) erase(key int) {
	t.list = slices.DeleteFunc(t.list, func(k int) bool { return k == key })
}

// grow takes the next size and links all keys anew, in the order they stand in.
func (t *hashTable) grow() {
	t.growth++
	for key, hash := range t.hashes[:len(t.buckets)] {
		t.buckets[key] = hash % bucketCount(t.growth)
	}
	old := t.list
	t.list = make([]int, 0, len(old)+1)
	for _, key := range old {
		t.link(key)
	}
}

// link puts a key before the first of its bucket, or at the head of the list where the bucket is empty.
func (t *hashTable) link(key int) {
	first := slices.IndexFunc(t.list, func(k int) bool { return t.buckets[k] == t.buckets[key] })
	t.list = slices.Insert(t.list, max(first, 0), key)
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
	var t hashTable
	for _, s := range added {
		for len(leaving) > 0 && !added[leaving[0]].to.After(s.from) {
			t.erase(leaving[0])
			leaving = leaving[1:]
		}
		t.insert(hashLabels(s.labels))
	}
	return slices.DeleteFunc(t.list, func(i int) bool { return added[i].gone })
}
