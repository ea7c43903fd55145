package main

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// romanized returns the lines of a name and what it is in the letters a to z, for
// every name of lists that is not of these letters already. lists has the names
// by kind and script, as collect gives them.
func romanized(lists map[string][]string) ([]string, error) {
	words := map[string]string{}
	for _, kind := range []string{"family", "given"} {
		for script, roman := range romanizers {
			hand, err := readPairs("roman_" + script)
			if err != nil {
				return nil, err
			}
			for _, name := range lists[kind+"_"+script] {
				word := roman(hand, name)
				if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
					return nil, fmt.Errorf("%q has no word of a–z, but %q", name, word)
				}
				if old, twice := words[name]; twice && old != word {
					return nil, fmt.Errorf("%q is %q and %q", name, old, word)
				}
				if strings.ToLower(name) != word {
					words[name] = word
				}
			}
		}
	}
	var lines []string
	for name, word := range words {
		lines = append(lines, name+" "+word)
	}
	return sortedOnce(lines), nil
}

// romanizers make a–z of a name; hand is what ours/roman_SCRIPT.txt says by hand.
// Arabic and Hebrew do not write their vowels and Han says nothing of its sound,
// so these three know what is in their tables and nothing else.
var romanizers = map[string]func(hand map[string]string, name string) string{
	"latin":      func(_ map[string]string, name string) string { return foldLatin(name) },
	"cyrillic":   func(_ map[string]string, name string) string { return romanCyrillic(name) },
	"greek":      func(_ map[string]string, name string) string { return romanGreek(name) },
	"arabic":     func(hand map[string]string, name string) string { return hand[name] },
	"hebrew":     func(hand map[string]string, name string) string { return hand[name] },
	"devanagari": func(hand map[string]string, name string) string { return cmp.Or(hand[name], romanDevanagari(name)) },
	"han":        romanHan,
	"kana":       func(_ map[string]string, name string) string { return romanKana(name) },
	"hangul":     func(hand map[string]string, name string) string { return cmp.Or(hand[name], romanHangul(name)) },
}

// readPairs reads lines of two words; a file that there is not has none.
func readPairs(name string) (map[string]string, error) {
	text, err := ours.ReadFile("ours/" + name + ".txt")
	if err != nil {
		return nil, nil
	}
	pairs := map[string]string{}
	for line := range strings.Lines(string(text)) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " ")
		if _, twice := pairs[norm.NFC.String(from)]; !ok || twice {
			return nil, fmt.Errorf("ours/%s.txt: %q is no pair, or stands twice", name, line)
		}
		pairs[norm.NFC.String(from)] = to
	}
	return pairs, nil
}

// latinLetters are those that do not lose their marks by decomposition.
var latinLetters = strings.NewReplacer(
	"ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ð", "d", "đ", "d", "þ", "th",
	"ł", "l", "ı", "i", "ħ", "h", "ŧ", "t", "ŋ", "n", "ə", "e", "-", "", "'", "", "’", "",
)

// foldLatin drops the marks of Latin letters, hyphens and apostrophes.
func foldLatin(name string) string {
	return latinLetters.Replace(dropMarks(strings.ToLower(name)))
}

func dropMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// romanCyrillic follows the BGN/PCGN system of 1947 for Russian without its marks:
// е and ё are ye and yo where no consonant stands before, and final -ий and -ый
// are y. The few Serbian, Bulgarian and Ukrainian names are made of the same
// letters.
func romanCyrillic(name string) string {
	letters := map[rune]string{
		'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "zh", 'з': "z", 'и': "i",
		'й': "y", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t",
		'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "",
		'э': "e", 'ю': "yu", 'я': "ya", '-': "",
	}
	name = strings.ToLower(name)
	for _, ending := range []string{"ий", "ый"} {
		if stem, ok := strings.CutSuffix(name, ending); ok {
			name = stem + "ы" // one y
		}
	}
	var b strings.Builder
	before := ' '
	for _, r := range name {
		word, known := letters[r]
		switch {
		case !known:
			return ""
		case r == 'е' && strings.ContainsRune(" аеёиоуыэюяйьъ", before):
			word = "ye"
		}
		b.WriteString(word)
		before = r
	}
	return b.String()
}

// romanGreek follows ELOT 743 in its type for names, as in passports: αυ and ευ
// are af and ef before voiceless sounds, μπ is b at the beginning, γγ is ng.
func romanGreek(name string) string {
	diaeresis := strings.ContainsAny(name, "ϊΐϋΰΪΫ")
	name = strings.ToLower(name)
	if !diaeresis {
		name = dropMarks(name)
	} else {
		// A diaeresis keeps two vowels apart; a letter of its own does so here.
		name = dropMarks(strings.NewReplacer("ϊ", "|ι", "ΐ", "|ι", "ϋ", "|υ", "ΰ", "|υ").Replace(norm.NFC.String(name)))
	}
	letters := map[rune]string{
		'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k",
		'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t",
		'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o", '|': "",
	}
	rs := []rune(name)
	var b strings.Builder
	for i := 0; i < len(rs); i++ {
		next := ' '
		if i+1 < len(rs) {
			next = rs[i+1]
		}
		pair := string([]rune{rs[i], next})
		switch {
		case pair == "ου":
			b.WriteString("ou")
			i++
		case pair == "αυ" || pair == "ευ" || pair == "ηυ":
			b.WriteString(letters[rs[i]])
			i++
			if i+1 == len(rs) || strings.ContainsRune("θκξπσςτφχψ", rs[i+1]) {
				b.WriteString("f")
			} else {
				b.WriteString("v")
			}
		case pair == "μπ" && i == 0:
			b.WriteString("b")
			i++
		case pair == "γγ" || pair == "γξ" || pair == "γχ":
			b.WriteString("n")
		default:
			word, known := letters[rs[i]]
			if !known {
				return ""
			}
			b.WriteString(word)
		}
	}
	return b.String()
}

// romanHan joins the pinyin of the characters, without tones; ü is yu after l, as
// in Chinese passports.
func romanHan(hand map[string]string, name string) string {
	var b strings.Builder
	for _, r := range name {
		word := hand[string(r)]
		if word == "" {
			return ""
		}
		b.WriteString(word)
	}
	return b.String()
}

// romanKana writes katakana after Hepburn without marks of length, as Japanese
// passports do: ou and oo are o, uu is u (but the ou of Inoue is two syllables);
// n is m before b, m and p.
func romanKana(name string) string {
	kana := map[rune]string{
		'ア': "a", 'イ': "i", 'ウ': "u", 'エ': "e", 'オ': "o", 'カ': "ka", 'キ': "ki", 'ク': "ku", 'ケ': "ke", 'コ': "ko",
		'ガ': "ga", 'ギ': "gi", 'グ': "gu", 'ゲ': "ge", 'ゴ': "go", 'サ': "sa", 'シ': "shi", 'ス': "su", 'セ': "se", 'ソ': "so",
		'ザ': "za", 'ジ': "ji", 'ズ': "zu", 'ゼ': "ze", 'ゾ': "zo", 'タ': "ta", 'チ': "chi", 'ツ': "tsu", 'テ': "te", 'ト': "to",
		'ダ': "da", 'ヂ': "ji", 'ヅ': "zu", 'デ': "de", 'ド': "do", 'ナ': "na", 'ニ': "ni", 'ヌ': "nu", 'ネ': "ne", 'ノ': "no",
		'ハ': "ha", 'ヒ': "hi", 'フ': "fu", 'ヘ': "he", 'ホ': "ho", 'バ': "ba", 'ビ': "bi", 'ブ': "bu", 'ベ': "be", 'ボ': "bo",
		'パ': "pa", 'ピ': "pi", 'プ': "pu", 'ペ': "pe", 'ポ': "po", 'マ': "ma", 'ミ': "mi", 'ム': "mu", 'メ': "me", 'モ': "mo",
		'ヤ': "ya", 'ユ': "yu", 'ヨ': "yo", 'ラ': "ra", 'リ': "ri", 'ル': "ru", 'レ': "re", 'ロ': "ro", 'ワ': "wa", 'ヲ': "o", 'ン': "n",
	}
	small := map[rune]string{'ャ': "a", 'ュ': "u", 'ョ': "o"}
	var b strings.Builder
	var double bool
	for _, r := range name {
		vowel, isSmall := small[r]
		word, known := kana[r]
		switch {
		case r == 'ッ':
			double = true
			continue
		case isSmall:
			stem := strings.TrimSuffix(b.String(), "i")
			b.Reset()
			b.WriteString(stem)
			if !strings.HasSuffix(stem, "sh") && !strings.HasSuffix(stem, "ch") && !strings.HasSuffix(stem, "j") {
				b.WriteString("y")
			}
			word = vowel
		case !known:
			return ""
		case double && strings.HasPrefix(word, "ch"):
			b.WriteString("t")
		case double:
			b.WriteString(word[:1])
		}
		double = false
		b.WriteString(word)
	}
	return strings.NewReplacer("oue", "oue", "ou", "o", "oo", "o", "uu", "u", "nb", "mb", "nm", "mm", "np", "mp").Replace(b.String())
}

// romanHangul follows the Revised Romanization of 2000, syllable by syllable, with
// l between vowels as r. The other changes between syllables are not written in
// names (article 3.4 of that system).
func romanHangul(name string) string {
	initials := []string{"g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"}
	vowels := []string{"a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "eu", "ui", "i"}
	finals := []string{"", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng", "t", "t", "k", "t", "p", "t"}
	var b strings.Builder
	for _, r := range name {
		i := int(r) - 0xAC00
		if i < 0 || i >= 19*21*28 {
			return ""
		}
		b.WriteString(initials[i/(21*28)] + vowels[i/28%21] + finals[i%28])
	}
	return b.String()
}

// romanDevanagari writes Hindi as it is spelled in Latin letters in India: without
// marks, long vowels as short ones, and without the inherent a where it is not
// spoken: at the end of a word, and between two syllables that have vowels. Names
// that everybody spells in another way stand in ours/roman_devanagari.txt.
func romanDevanagari(name string) string {
	consonants := map[rune]string{
		'क': "k", 'ख': "kh", 'ग': "g", 'घ': "gh", 'ङ': "n", 'च': "ch", 'छ': "chh", 'ज': "j", 'झ': "jh", 'ञ': "n",
		'ट': "t", 'ठ': "th", 'ड': "d", 'ढ': "dh", 'ण': "n", 'त': "t", 'थ': "th", 'द': "d", 'ध': "dh", 'न': "n",
		'प': "p", 'फ': "ph", 'ब': "b", 'भ': "bh", 'म': "m", 'य': "y", 'र': "r", 'ल': "l", 'व': "v", 'श': "sh",
		'ष': "sh", 'स': "s", 'ह': "h",
	}
	vowels := map[rune]string{
		'अ': "a", 'आ': "a", 'इ': "i", 'ई': "i", 'उ': "u", 'ऊ': "u", 'ए': "e", 'ऐ': "ai", 'ओ': "o", 'औ': "au", 'ऋ': "ri",
		'ा': "a", 'ि': "i", 'ी': "i", 'ु': "u", 'ू': "u", 'ृ': "ri", 'े': "e", 'ै': "ai", 'ो': "o", 'ौ': "au",
	}
	const virama, anusvara, candrabindu, nukta = '\u094D', '\u0902', '\u0901', '\u093C'
	type part struct {
		consonant, vowel string
		inherent, nasal  bool
	}
	var parts []part
	for _, r := range norm.NFD.String(name) {
		c, isConsonant := consonants[r]
		v, isVowel := vowels[r]
		switch {
		case isConsonant:
			parts = append(parts, part{consonant: c, vowel: "a", inherent: true})
		case isVowel && unicode.Is(unicode.M, r) && len(parts) > 0:
			parts[len(parts)-1].vowel, parts[len(parts)-1].inherent = v, false
		case isVowel:
			parts = append(parts, part{vowel: v})
		case r == virama && len(parts) > 0:
			parts[len(parts)-1].vowel, parts[len(parts)-1].inherent = "", false
		case (r == anusvara || r == candrabindu) && len(parts) > 0:
			parts[len(parts)-1].nasal = true
		case r == nukta && len(parts) > 0:
			if p := &parts[len(parts)-1]; p.consonant == "d" || p.consonant == "dh" {
				p.consonant = strings.Replace(p.consonant, "d", "r", 1)
			}
		default:
			return ""
		}
	}
	silent := func(i int) bool {
		if !parts[i].inherent || parts[i].nasal {
			return false
		}
		cluster := parts[i-1].vowel == "" || parts[i-1].nasal
		if i == len(parts)-1 { // Krishna and Acharya keep it, Garg and Bhatt do not
			return parts[i-1].vowel != "" || !strings.ContainsAny(parts[i].consonant, "nrvy")
		}
		next := parts[i+1]
		return !cluster && next.vowel != "" && !next.inherent && next.consonant != ""
	}
	var b strings.Builder
	for i := len(parts) - 1; i > 0; i-- { // from the end: what fell silent keeps its neighbour
		if silent(i) {
			parts[i].vowel = ""
			parts[i].inherent = false
		}
	}
	for i, p := range parts {
		b.WriteString(p.consonant + p.vowel)
		if p.nasal {
			if i+1 < len(parts) && strings.IndexAny(parts[i+1].consonant, "pbm") == 0 {
				b.WriteString("m")
			} else {
				b.WriteString("n")
			}
		}
	}
	return b.String()
}
