// Package nearest suggests what a person may have meant by a name that is not
// there: the uids, metrics, labels and values closest in spelling.
package nearest

import (
	"slices"
	"strings"
	"unicode/utf8"

	edlib "github.com/hbollon/go-edlib"
)

// Names are up to limit of the candidates that resemble name, closest first.
// A candidate resembles it when at most a third of the longer of the two would
// have to be retyped, a swapped pair of letters counting as one, or when one is
// the beginning or the end of the other.
func Names(name string, candidates []string, limit int) []string {
	type scored struct {
		name     string
		distance int
	}
	var near []scored
	low := strings.ToLower(name)
	letters := lettersOf(low)
	for _, c := range candidates {
		if c == "" || c == name {
			continue
		}
		lc := strings.ToLower(c)
		longest := max(utf8.RuneCountInString(low), utf8.RuneCountInString(lc))
		part := contained(low, lc)
		if !part && letters.apart(lc)*3 > longest {
			continue
		}
		if d := edlib.OSADamerauLevenshteinDistance(low, lc); d*3 <= longest || part {
			near = append(near, scored{c, d})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, s := range near {
		// What is much farther off than the best would only distract from it.
		if best := near[0].distance; len(out) == limit || s.distance > max(2, best)+best/3 {
			break
		}
		if !slices.Contains(out, s.name) {
			out = append(out, s.name)
		}
	}
	return out
}

// letters count the letters of a name, those that are not ASCII as one.
type letters [128]int

func lettersOf(name string) letters {
	var out letters
	for _, c := range name {
		out[min(c, 127)]++
	}
	return out
}

// apart is how many letters have to be retyped at the least to make one name of the
// other: those that the one has and the other has not, wherever they stand. To find it
// takes a fraction of what the distance takes, and most names are out by it.
func (l letters) apart(other string) int {
	missing, left := 0, 0
	for _, n := range l {
		left += n
	}
	for _, c := range other {
		if at := min(c, 127); l[at] > 0 {
			l[at]--
			left--
		} else {
			missing++
		}
	}
	return max(missing, left)
}

// contained leaves very short names out: almost everything ends in "s".
func contained(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 4 && (strings.HasPrefix(b, a) || strings.HasSuffix(b, a))
}

// Likely says whether one name is so near another that it may be proposed in its
// place: a quarter of it at most would have to be retyped.
func Likely(name, candidate string) bool {
	low, lc := strings.ToLower(name), strings.ToLower(candidate)
	longest := max(utf8.RuneCountInString(low), utf8.RuneCountInString(lc))
	return edlib.OSADamerauLevenshteinDistance(low, lc)*4 <= longest || contained(low, lc)
}

// Typo says whether a name is another one mistyped: two letters off at the most, and
// neither the beginning nor the end of it, as older names of a thing often are.
func Typo(name, candidate string) bool {
	const least = 5 // shorter names are near too many others
	low, lc := strings.ToLower(name), strings.ToLower(candidate)
	if low == lc || min(utf8.RuneCountInString(low), utf8.RuneCountInString(lc)) < least || strings.HasPrefix(low, lc) || strings.HasPrefix(lc, low) ||
		strings.HasSuffix(low, lc) || strings.HasSuffix(lc, low) {
		return false
	}
	return edlib.OSADamerauLevenshteinDistance(low, lc) <= 2 && digits(low) == digits(lc)
}

// digits are the digits of a name: load1 and load5 are two things.
func digits(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, name)
}

// Only is the index of the one group of names that a wrong name can mean: it has a
// Likely one, and those of every other group are more than twice as far off. -1
// where none is, or where it is not certain.
func Only(name string, groups [][]string) int {
	low := strings.ToLower(name)
	best, at, second := -1, -1, -1
	for i, group := range groups {
		least := -1
		for _, c := range group {
			if c == "" || !Likely(name, c) {
				continue
			}
			if d := edlib.OSADamerauLevenshteinDistance(low, strings.ToLower(c)); least < 0 || d < least {
				least = d
			}
		}
		switch {
		case least < 0:
		case best < 0 || least < best:
			best, at, second = least, i, best
		case second < 0 || least < second:
			second = least
		}
	}
	if second >= 0 && second <= 2*best {
		return -1
	}
	return at
}

// Hint is a sentence ", nearest: a, b" for the end of a message, empty where
// nothing resembles the name.
func Hint(name string, candidates []string) string {
	near := Names(name, candidates, 3)
	if len(near) == 0 {
		return ""
	}
	return ", nearest: " + strings.Join(near, ", ")
}
