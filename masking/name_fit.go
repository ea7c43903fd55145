package masking

// fits reports whether a name fits the column.
func (t *nameTransform) fits(name []byte) bool {
	return (t.maxBytes == 0 || len(name) <= t.maxBytes) && (t.maxChars == 0 || len(name) <= t.maxChars || runeCount(name) <= t.maxChars)
}

// poolFor returns the pool that takes the place of one that the column cannot have:
// that of plain letters where the database tells no marks apart, and the next smaller
// one where its character set lacks letters.
func (t *nameTransform) poolFor(pool uint8) uint8 {
	switch {
	case t.charset == ASCII:
		return poolASCII
	case t.charset == Latin1 && pool == poolLatin:
		pool = poolLatin1
	case t.charset == Latin1 && pool > poolLatin:
		return poolASCII
	}
	// Where a–z alone has no case, the capitals of other letters are letters of their own.
	asciiOnly := t.equality&FoldASCII != 0 && t.equality&FoldCase == 0
	if (t.equality&FoldAccents != 0 || asciiOnly) && pool <= poolLatin {
		return poolASCII
	}
	return pool
}

// poolBytes returns how many bytes a character of a pool has at most.
func poolBytes(pool uint8) int {
	switch pool {
	case poolASCII:
		return 1
	case poolLatin1, poolCyrillic, poolGreek, poolArabic, poolHebrew:
		return 2
	}
	return 3
}

// same reports whether two words are one but for their case, or to the database.
func (t *nameTransform) same(a, b []byte) bool {
	if t.equality&FoldAccents == 0 {
		return equalFold(a, b)
	}
	// The entry of a nameFinder is compared by base letters, and wants one on the stack.
	var space [4 * longestListed]rune
	if len(a) > 4*longestListed {
		return false
	}
	e := nameEntry{chars: appendBases(space[:0], a)}
	return e.at(bases(), b, 0, len(b)) == len(b)
}

// longestListed is more characters than a name of the dictionary has, with a given
// name behind it.
const longestListed = 2 * len(nameList{}.upTo)
