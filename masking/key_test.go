package masking

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixedKey is the key of the vectors: the bytes 00 to 1f.
func fixedKey(t testing.TB) *Key {
	t.Helper()
	raw := make([]byte, KeySize)
	for i := range raw {
		raw[i] = byte(i)
	}
	k, err := KeyFromBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyFileRoundTrip(t *testing.T) {
	k := NewKey()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, k.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if *got.secret() != *k.secret() {
		t.Error("another key came back")
	}
	if got.Check() != k.Check() || NewKey().Check() == k.Check() {
		t.Error("the check value does not tell keys apart")
	}
	if crlf, err := ParseKey(bytes.ReplaceAll(k.Marshal(), []byte("\n"), []byte("\r\n"))); err != nil || *crlf.secret() != *k.secret() {
		t.Errorf("with CRLF: %v", err)
	}
}

func TestBadKeyFiles(t *testing.T) {
	good := string(fixedKey(t).Marshal())
	lines := strings.SplitAfter(good, "\n")
	short := "key: " + base64.StdEncoding.EncodeToString(make([]byte, 31)) + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "first line"},
		{"other file", "-----BEGIN PRIVATE KEY-----\n", "first line"},
		{"header only", lines[0], "lines"},
		{"31 bytes", lines[0] + short + lines[2], "31 bytes and must have 32"},
		{"not base64", lines[0] + "key: !!!\n" + lines[2], "base64"},
		{"no key line", lines[0] + lines[2] + lines[2], "line 2"},
		{"no check line", lines[0] + lines[1] + lines[1], "line 3"},
		{"wrong check", lines[0] + lines[1] + "check: 0000000000000000\n", "check value"},
		{"short check", lines[0] + lines[1] + "check: \n", "check value"},
		{"more", good + "more\n", "lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := ParseKey([]byte(c.text))
			if err == nil || k != nil {
				t.Fatal("was taken")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
			var ke *KeyError
			if !errors.As(err, &ke) || ke.Hint() == "" {
				t.Errorf("%q has no hint", err)
			}
		})
	}
}

func TestKeyFilesOfOthers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, fixedKey(t).Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o660, 0o601, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadKey(path)
		var ke *KeyError
		if !errors.As(err, &ke) || !strings.Contains(err.Error(), fmt.Sprintf("%04o", mode)) || ke.Hint() != "chmod 600 "+path {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKey(path); err != nil {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	var ke *KeyError
	if _, err := LoadKey(filepath.Join(dir, "none")); !errors.As(err, &ke) || !strings.Contains(ke.Hint(), "sanitize keys new") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := LoadKey(dir); err == nil {
		t.Error("a folder was taken for a key")
	}
	if err := os.WriteFile(path+"2", make([]byte, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path + "2"); !errors.As(err, &ke) {
		t.Errorf("a long file: %v", err)
	}
}

// Whoever prints a key by mistake, alone or inside of something, prints no key.
func TestKeysAreNotPrinted(t *testing.T) {
	raw := make([]byte, KeySize)
	for i := range raw {
		raw[i] = 0xa0 + byte(i)
	}
	k, err := KeyFromBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	sub := k.Subkey("domain", "token", 1)
	type holder struct {
		Name   string
		Key    *Key
		Value  Key
		Sub    Subkey
		hidden Key
		below  Subkey
		deep   *Subkey
		List   []Key
		Any    any
	}
	h := holder{Name: "holder", Key: k, Value: *k, Sub: sub, hidden: *k, below: sub, deep: &sub, List: []Key{*k}, Any: *k}
	secrets := [][]byte{raw, sub.secret()[:]}
	for _, v := range []any{k, *k, &k, sub, &sub, h, &h, []any{k, sub}, map[string]any{"k": k, "s": sub}, Request{Key: sub}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%T"} {
			text := fmt.Sprintf(verb, v)
			for _, s := range secrets {
				for n := 0; n+4 <= KeySize; n++ { // four bytes in a row, in any of the usual spellings
					part := s[n : n+4]
					for _, spelled := range []string{
						string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)),
						fmt.Sprint(part), strings.Trim(fmt.Sprint(part), "[]"), strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"),
						strings.Trim(fmt.Sprintf("%x", fmt.Sprint(part)), "[]"), strings.Trim(fmt.Sprintf("%b", part), "[]"),
						strings.Trim(fmt.Sprintf("%o", part), "[]"), strings.Trim(fmt.Sprintf("%U", part), "[]"),
					} {
						if strings.Contains(text, spelled) {
							t.Fatalf("%s of a %T shows key material", verb, v)
						}
					}
				}
			}
		}
	}
	if got := k.String(); got != "key "+k.Check() {
		t.Errorf("a key prints as %s", got)
	}
}

func TestSubkeysAreApart(t *testing.T) {
	k := fixedKey(t)
	seen := map[[KeySize]byte]string{}
	for _, s := range []struct {
		domain, transform string
		version           int
	}{
		{"a", "token", 1}, {"a", "token", 2}, {"b", "token", 1}, {"a", "fake", 1},
		{"a|5:token", "x", 1}, {"a|", "token", 1}, {"", "a|token", 1}, {"1", "1:token", 1},
	} {
		sub := k.Subkey(s.domain, s.transform, s.version)
		name := fmt.Sprintf("%+v", s)
		if other := seen[*sub.secret()]; other != "" {
			t.Errorf("%s and %s share a key", name, other)
		}
		seen[*sub.secret()] = name
	}
	sub := k.Subkey("a", "token", 1)
	if sub.For("one") == sub.For("two") {
		t.Error("two uses share a key")
	}
}

func FuzzParseKey(f *testing.F) {
	k := fixedKey(f)
	f.Add(k.Marshal())
	f.Add([]byte("sanitize-key-v1\nkey: \ncheck: \n"))
	f.Add([]byte(""))
	f.Add([]byte("sanitize-key-v1\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParseKey(text)
		if err != nil {
			if k != nil {
				t.Fatal("a key beside an error")
			}
			return
		}
		again, err := ParseKey(k.Marshal())
		if err != nil || *again.secret() != *k.secret() {
			t.Fatalf("does not survive a round trip: %v", err)
		}
	})
}
