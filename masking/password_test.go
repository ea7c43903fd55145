package masking

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	bcryptFile, argon2File = "testdata/password/bcrypt", "testdata/password/argon2"
	bcryptHash             = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
	argon2Hash             = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
)

func password(variant, from string) Spec {
	return Spec{Name: "password", Variant: variant, Params: params("from", from)}
}

func isText(want string) func(in, out any) string {
	return matches(func(s string) bool { return s == want })
}

var _ = addLawCases(
	lawCase{name: "password bcrypt", spec: password("bcrypt", bcryptFile), col: Column{Kind: Text, MaxChars: 60}, value: wordsOf, fits: isText(bcryptHash), fixed: true},
	lawCase{name: "password argon2", spec: password("argon2", argon2File), col: Column{Kind: Text, MaxChars: 255}, value: wordsOf, fits: isText(argon2Hash), fixed: true},
	lawCase{name: "password bytes", spec: password("bcrypt", bcryptFile), col: Column{Kind: Bytes}, value: wordsOf, fits: isText(bcryptHash), fixed: true},
)

var _ = addVectors(vectorSet{"password", []vector{
	{"customers", Column{Kind: Text, MaxChars: 60}, password("bcrypt", bcryptFile), []any{"$2b$12$x", "", " ", nil}, nil},
	{"customers", Column{Kind: Text}, password("argon2", argon2File), []any{"$2b$12$x"}, nil},
	{"customers", Column{Kind: Bytes}, password("bcrypt", bcryptFile), []any{"\x00", "", " "}, nil},
}})

func TestPasswordFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(content string) string {
		path := filepath.Join(dir, "hash")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for variant, hashes := range map[string][]string{
		"bcrypt": {bcryptHash, bcryptHash + "\n", bcryptHash + "\r\n", "$2y$04$" + bcryptHash[7:], "$2b$31$" + bcryptHash[7:]},
		"argon2": {argon2Hash, "$argon2i$v=16$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFQ", "$argon2d$v=19$m=4194304,t=10,p=255$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
	} {
		for _, hash := range hashes {
			mask := situation(t, Column{Kind: Text}, password(variant, write(hash)))
			if got := mask("x")[0]; got != strings.TrimSpace(hash) {
				t.Errorf("%s: another hash came out", variant)
			}
		}
	}
	for _, c := range []struct{ variant, content, want string }{
		{"bcrypt", "", "empty"}, {"bcrypt", "\n", "empty"}, {"bcrypt", bcryptHash + "\n" + bcryptHash, "several lines"},
		{"bcrypt", " " + bcryptHash, "blanks"}, {"bcrypt", bcryptHash + "é", "ASCII"}, {"bcrypt", argon2Hash, "$2a$"}, {"bcrypt", "$2x$10$" + bcryptHash[7:], "$2a$"},
		{"bcrypt", "$2a$03$" + bcryptHash[7:], "cost"}, {"bcrypt", "$2a$32$" + bcryptHash[7:], "cost"}, {"bcrypt", "$2a$9$" + bcryptHash[7:], "cost"},
		{"bcrypt", bcryptHash[:59], "53 characters"}, {"bcrypt", bcryptHash + "x", "53 characters"}, {"bcrypt", bcryptHash[:59] + "+", "53 characters"}, {"bcrypt", "x", "$2a$"},
		{"argon2", bcryptHash, "form"}, {"argon2", strings.Replace(argon2Hash, "argon2id", "argon3", 1), "begin with"},
		{"argon2", strings.Replace(argon2Hash, "v=19", "v=20", 1), "version"}, {"argon2", strings.Replace(argon2Hash, "t=2", "t=02", 1), "parameters"},
		{"argon2", strings.Replace(argon2Hash, "t=2,", "", 1), "parameters"}, {"argon2", strings.Replace(argon2Hash, "m=65536", "m=", 1), "parameters"},
		{"argon2", strings.Replace(argon2Hash, "m=65536", "m=7", 1), "8 times"}, {"argon2", strings.Replace(argon2Hash, "c29tZXNhbHQ", "c29", 1), "salt"},
		{"argon2", argon2Hash + "=", "base64"}, {"bcrypt", strings.Repeat("x", 5000), "4 KiB"},
	} {
		path := write(c.content)
		refused(t, Column{Kind: Text}, password(c.variant, path), c.want)
		_, err := Standard().Bind(fixedKey(t), Column{Kind: Text}, password(c.variant, path), nil)
		if secret := strings.TrimSpace(c.content); err != nil && len(secret) > 8 && strings.Contains(err.Error(), secret[len(secret)-8:]) {
			t.Errorf("%s: the error shows the hash", c.want)
		}
	}
	refused(t, Column{Kind: Text}, password("bcrypt", filepath.Join(dir, "none")), "does not exist")
	refused(t, Column{Kind: Text}, password("bcrypt", dir), "not a regular file")
	refused(t, Column{Kind: Text, MaxChars: 59}, password("bcrypt", bcryptFile), "the column holds 59")
	refused(t, Column{Kind: Text, MaxBytes: 32}, password("argon2", argon2File), "the column holds 32")
	refused(t, Column{Kind: Text, Unique: true}, password("bcrypt", bcryptFile), "unique")
	refused(t, Column{Kind: Text}, Spec{Name: "password", Variant: "bcrypt"}, `needs the parameter "from"`)
	refused(t, Column{Kind: Int}, password("bcrypt", bcryptFile), "kind int")
}

// A different hash is a different fingerprint, and the fingerprint is not the hash.
func TestPasswordIsPinned(t *testing.T) {
	a, err := Standard().Bind(fixedKey(t), Column{Kind: Text}, password("bcrypt", bcryptFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	row := &Row{File: func(string) ([]byte, error) { return []byte("$2b" + bcryptHash[3:]), nil }}
	b, err := Standard().Bind(fixedKey(t), Column{Kind: Text}, password("bcrypt", bcryptFile), row)
	if err != nil {
		t.Fatal(err)
	}
	if a.Pinned == b.Pinned || strings.Contains(a.Pinned, bcryptHash[7:]) {
		t.Errorf("pinned: %q and %q", a.Pinned, b.Pinned)
	}
}

func FuzzCheckHash(f *testing.F) {
	for _, s := range []string{bcryptHash, argon2Hash, "", "$", "$2a$", "$argon2id$v=19$m=8,t=1,p=1$$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, variant := range []string{"bcrypt", "argon2"} {
			if reason := checkHash(variant, []byte(s)); reason == "" && (s[0] != '$' || strings.ContainsAny(s, " \n")) {
				t.Errorf("a hash of %s", variant)
			}
		}
	})
}
