package policies

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The example of the DSSE standard (protocol.md, Test Vectors): the encoding, and a
// signature over it by another algorithm than ours.
func TestPAEOfTheStandard(t *testing.T) {
	got := pae("http://example.com/HelloWorld", []byte("hello world"))
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; string(got) != want {
		t.Fatalf("PAE %q, want %q", got, want)
	}
	if got := pae("é", nil); string(got) != "DSSEv1 2 é 0 " {
		t.Errorf("lengths are of bytes: %q", got)
	}
	point := []byte{4} // not compressed
	for _, s := range []string{
		"46950820868899156662930047687818585632848591499744589407958293238635476079160",
		"5640078356564379163099075877009565129882514886557779369047442380624545832820",
	} {
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			t.Fatal(s)
		}
		point = append(point, n.FillBytes(make([]byte, 32))...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(got)
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Error("the standard's signature does not hold over our encoding")
	}
}

// signing returns a key that is the same in every test, and its line.
func signing(t testing.TB, name string) (ed25519.PrivateKey, string) {
	t.Helper()
	seed := sha256.Sum256([]byte("test " + name))
	key := ed25519.NewKeyFromSeed(seed[:])
	block := &pem.Block{Type: "PUBLIC KEY", Bytes: append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, key.Public().(ed25519.PublicKey)...)}
	return key, "# " + name + "\n" + string(pem.EncodeToMemory(block))
}

func allow(t testing.TB, text string) *AllowedSigners {
	t.Helper()
	a, err := ParseAllowedSigners("allowed", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// valid returns the names of those who signed validly, and what Approve says.
func valid(t testing.TB, content, signature []byte, a *AllowedSigners, threshold int) (names string, err error) {
	t.Helper()
	signers, err := Signatures(content, signature, a)
	if err != nil {
		return "", err
	}
	for _, s := range signers {
		if s.Valid {
			names += s.Name + " "
		} else if s.Reason == "" {
			t.Errorf("a signature is refused without a reason: %+v", s)
		}
	}
	return strings.TrimSpace(names), Approve(signers, threshold)
}

var signedPolicy = []byte("version: 1\nkeys: {k: {from: ephemeral}}\ntables: {}\n")

func TestSign(t *testing.T) {
	ada, adaLine := signing(t, "ada@shop.example")
	bo, boLine := signing(t, "bo@shop.example")
	eve, _ := signing(t, "eve@elsewhere.example")
	allowed := allow(t, adaLine+boLine)
	one, err := Sign(signedPolicy, ada, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Sign(signedPolicy, ada, nil); !bytes.Equal(again, one) {
		t.Error("two signatures of one key differ: ed25519 has no chance in it")
	}
	two, err := Sign(signedPolicy, bo, one)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := valid(t, signedPolicy, one, allowed, 1); names != "ada@shop.example" || err != nil {
		t.Errorf("one: %s, %v", names, err)
	}
	if _, err := valid(t, signedPolicy, one, allowed, 2); err == nil || !strings.Contains(err.Error(), "1 of the allowed signers have signed, and 2 are asked for") {
		t.Errorf("one of two: %v", err)
	}
	if names, err := valid(t, signedPolicy, two, allowed, 2); names != "ada@shop.example bo@shop.example" || err != nil {
		t.Errorf("two: %s, %v", names, err)
	}
	if _, err := valid(t, signedPolicy, two, allowed, 0); err == nil {
		t.Error("nobody at all is enough")
	}
	// A key signs once, however often it is asked to.
	twice, err := Sign(signedPolicy, ada, one)
	if err != nil || !bytes.Equal(twice, one) {
		t.Errorf("a second signature of one key: %v", err)
	}
	// Signatures of other bytes are not added to.
	if _, err := Sign(append(bytes.Clone(signedPolicy), '\n'), bo, one); err == nil || !strings.Contains(err.Error(), "of other bytes") {
		t.Errorf("signed beside a signature of other bytes: %v", err)
	}
	// Who is not allowed does not count, and does not harm.
	three, err := Sign(signedPolicy, eve, one)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := valid(t, signedPolicy, three, allowed, 1); names != "ada@shop.example" || err != nil {
		t.Errorf("with a stranger: %s, %v", names, err)
	}
	if _, err := valid(t, signedPolicy, three, allowed, 2); err == nil {
		t.Error("a stranger was counted")
	}
	// The other alphabet of base64 is read as well.
	url := strings.NewReplacer("+", "-", "/", "_")
	var e Envelope
	if err := json.Unmarshal(two, &e); err != nil {
		t.Fatal(err)
	}
	e.Payload, e.Signatures[0].Sig, e.Signatures[1].Sig = url.Replace(e.Payload), url.Replace(e.Signatures[0].Sig), url.Replace(e.Signatures[1].Sig)
	text, _ := json.Marshal(e)
	if names, err := valid(t, signedPolicy, text, allowed, 2); err != nil {
		t.Errorf("URL-safe base64: %s, %v", names, err)
	}
}

// What a forger might try, each of which signs for nobody.
func TestForgeries(t *testing.T) {
	ada, adaLine := signing(t, "ada@shop.example")
	bo, boLine := signing(t, "bo@shop.example")
	allowed := allow(t, adaLine+boLine)
	_, l := lockOf(t, plainPolicy, lockCatalog, nil)
	lock := l.Marshal()
	sign := func(content []byte, keys ...ed25519.PrivateKey) (e Envelope) {
		var text []byte
		for _, k := range keys {
			var err error
			if text, err = Sign(content, k, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	other := bytes.Replace(signedPolicy, []byte("ephemeral"), []byte("\"file:k\""), 1)
	good := sign(signedPolicy, ada)
	flip := func(s string) string {
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		raw[10] ^= 1
		return base64.StdEncoding.EncodeToString(raw)
	}
	edit := func(change func(*Envelope)) []byte {
		e := good
		e.Signatures = append([]EnvelopeSignature{}, good.Signatures...)
		change(&e)
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	plain := edit(func(*Envelope) {})
	if names, err := valid(t, signedPolicy, plain, allowed, 1); err != nil {
		t.Fatalf("what is forged does not hold to begin with: %s, %v", names, err)
	}
	stranger, _ := signing(t, "eve")
	for name, c := range map[string]struct {
		content, signature []byte
		threshold          int
	}{
		"other bytes":             {other, plain, 1},
		"one byte more":           {append(bytes.Clone(signedPolicy), ' '), plain, 1},
		"other bytes, both sides": {other, edit(func(e *Envelope) { e.Payload = base64.StdEncoding.EncodeToString(other) }), 1},
		"other payload":           {signedPolicy, edit(func(e *Envelope) { e.Payload = base64.StdEncoding.EncodeToString(other) }), 1},
		"swapped type":            {signedPolicy, edit(func(e *Envelope) { e.PayloadType = LockType }), 1},
		"another type":            {signedPolicy, edit(func(e *Envelope) { e.PayloadType = "text/plain" }), 1},
		"a lock's as a policy's": {lock, func() []byte {
			e := sign(lock, ada)
			e.PayloadType = PolicyType
			text, _ := json.Marshal(e)
			return text
		}(), 1},
		"another key": {signedPolicy, func() []byte { text, _ := Sign(signedPolicy, stranger, nil); return text }(), 1},
		"another key, our name": {signedPolicy, func() []byte {
			e := sign(signedPolicy, stranger)
			e.Signatures[0].KeyID = good.Signatures[0].KeyID
			text, _ := json.Marshal(e)
			return text
		}(), 1},
		"a flipped bit":        {signedPolicy, edit(func(e *Envelope) { e.Signatures[0].Sig = flip(e.Signatures[0].Sig) }), 1},
		"a short signature":    {signedPolicy, edit(func(e *Envelope) { e.Signatures[0].Sig = "AAAA" }), 1},
		"no base64":            {signedPolicy, edit(func(e *Envelope) { e.Signatures[0].Sig = "%%%" }), 1},
		"sloppy base64":        {signedPolicy, edit(func(e *Envelope) { e.Payload += "\n" }), 1},
		"no signature":         {signedPolicy, edit(func(e *Envelope) { e.Signatures = nil }), 1},
		"truncated":            {signedPolicy, plain[:len(plain)-20], 1},
		"empty":                {signedPolicy, []byte{}, 1},
		"nothing but a name":   {signedPolicy, []byte(`{"signatures": [{"keyid": "ada@shop.example"}]}`), 1},
		"two types":            {signedPolicy, bytes.Replace(plain, []byte(`{"payloadType"`), []byte(`{"payloadType":"`+LockType+`","payloadType"`), 1), 1},
		"a type in other case": {signedPolicy, bytes.Replace(plain, []byte(`{"payloadType"`), []byte(`{"PAYLOADTYPE":"`+LockType+`","payloadType"`), 1), 1},
		"something behind":     {signedPolicy, append(bytes.Clone(plain), []byte("{}")...), 1},
		"twice the same signature": {signedPolicy, edit(func(e *Envelope) {
			e.Signatures = append(e.Signatures, e.Signatures[0])
			e.Signatures[1].KeyID = "SHA256:another"
		}), 2},
		"one of two is of other bytes": {signedPolicy, edit(func(e *Envelope) { e.Signatures = append(e.Signatures, sign(other, bo).Signatures...) }), 2},
	} {
		names, err := valid(t, c.content, c.signature, allowed, c.threshold)
		var problem *SignatureError
		if !errors.As(err, &problem) {
			t.Errorf("%s: passed for %q, %v", name, names, err)
		}
	}
	// Two keys of one person are one signer.
	boAsAda := strings.Replace(boLine, "bo@", "ada@", 1)
	both, _ := json.Marshal(sign(signedPolicy, ada, bo))
	if _, err := valid(t, signedPolicy, both, allow(t, adaLine+boAsAda), 2); err == nil {
		t.Error("two keys of one name were counted as two signers")
	}
	if _, err := valid(t, signedPolicy, both, allowed, 2); err != nil {
		t.Error(err)
	}
}

// keygen returns the path of ssh-keygen, which it installs where the tests install servers.
func keygen(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ssh-keygen")
	if err != nil && os.Geteuid() == 0 {
		if out, aerr := exec.Command("apt-get", "install", "-y", "--no-install-recommends", "openssh-client").CombinedOutput(); aerr != nil {
			t.Fatalf("install openssh-client: %v\n%s", aerr, out)
		}
		path, err = exec.LookPath("ssh-keygen")
	}
	if err != nil {
		t.Fatalf("ssh-keygen is missing, install openssh-client: %v", err)
	}
	return path
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// A real ssh-keygen signs, and its signatures are taken for what they are.
func TestSSHSignatures(t *testing.T) {
	ssh := keygen(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, k := range [][]string{{"ada", "ed25519"}, {"bo", "ed25519"}, {"eve", "ed25519"}, {"old", "ecdsa"}} {
		command(t, ssh, "-q", "-t", k[1], "-N", "", "-C", k[0]+"@shop.example", "-f", at(k[0]))
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	sign := func(content []byte, key string, options ...string) []byte {
		if err := os.WriteFile(at("policy.yaml"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(at("policy.yaml.sig"))
		command(t, ssh, append(append([]string{"-q", "-Y", "sign", "-f", at(key)}, options...), at("policy.yaml"))...)
		return read("policy.yaml.sig")
	}
	space := []string{"-n", "sanitize"}
	// A .pub file is a line of allowed signers, and so is one of ssh-keygen's own.
	allowed := allow(t, string(read("ada.pub"))+"bo@shop.example namespaces=\"git,sanitize\" "+string(read("bo.pub")))
	one := sign(signedPolicy, "ada", space...)
	if names, err := valid(t, signedPolicy, one, allowed, 1); names != "ada@shop.example" || err != nil {
		t.Errorf("%s, %v", names, err)
	}
	// Another hash, and several signatures one after the other.
	both := append(sign(signedPolicy, "bo", "-n", "sanitize", "-O", "hashalg=sha256"), one...)
	if names, err := valid(t, signedPolicy, both, allowed, 2); names != "bo@shop.example ada@shop.example" || err != nil {
		t.Errorf("%s, %v", names, err)
	}
	for name, c := range map[string]struct {
		content, signature []byte
		threshold          int
	}{
		"other bytes":       {append(bytes.Clone(signedPolicy), '\n'), one, 1},
		"another namespace": {signedPolicy, sign(signedPolicy, "ada", "-n", "git"), 1},
		"another key":       {signedPolicy, sign(signedPolicy, "eve", space...), 1},
		"another algorithm": {signedPolicy, sign(signedPolicy, "old", space...), 1},
		"twice":             {signedPolicy, append(bytes.Clone(one), one...), 2},
		"truncated":         {signedPolicy, one[:len(one)/2], 1},
		"truncated blob":    {signedPolicy, reblock(t, one, func(b []byte) []byte { return b[:len(b)-8] }), 1},
		"a byte behind":     {signedPolicy, reblock(t, one, func(b []byte) []byte { return append(b, 0) }), 1},
		"a flipped bit":     {signedPolicy, reblock(t, one, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), 1},
		"another magic":     {signedPolicy, reblock(t, one, func(b []byte) []byte { b[0] = 'X'; return b }), 1},
		"another version":   {signedPolicy, reblock(t, one, func(b []byte) []byte { b[9] = 2; return b }), 1},
		"renamed namespace": {signedPolicy, reblock(t, sign(signedPolicy, "ada", "-n", "sanitizf"), func(b []byte) []byte { return bytes.Replace(b, []byte("sanitizf"), []byte("sanitize"), 1) }), 1},
		"text behind":       {signedPolicy, append(bytes.Clone(one), []byte("and more")...), 1},
	} {
		if names, err := valid(t, c.content, c.signature, allowed, c.threshold); err == nil {
			t.Errorf("%s: passed for %q", name, names)
		}
	}
	// Its private key is not ours to read, and the message says what to do.
	_, err := LoadSigningKey(at("ada"))
	var problem *SignatureError
	if !errors.As(err, &problem) || !strings.Contains(problem.Help, "ssh-keygen -Y sign -n sanitize") {
		t.Errorf("a key of OpenSSH: %v", err)
	}
}

// reblock changes the bytes inside an armoured block.
func reblock(t *testing.T, text []byte, change func([]byte) []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("no block")
	}
	block.Bytes = change(block.Bytes)
	return pem.EncodeToMemory(block)
}

// Keys of `openssl genpkey` and of our own are read; what is none is refused, and no
// message shows any of it.
func TestSigningKeys(t *testing.T) {
	dir := t.TempDir()
	private, line, err := NewSigningKey("dpo@shop.example")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := LoadSigningKey(write("good", private, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := Sign(signedPolicy, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := valid(t, signedPolicy, sig, allow(t, string(line)), 1); names != "dpo@shop.example" || err != nil {
		t.Errorf("%s, %v", names, err)
	}
	if _, err := LoadSigningKey(write("stricter", private, 0o400)); err != nil {
		t.Error(err)
	}
	secret := strings.Split(string(private), "\n")[1]
	half := strings.Replace(string(private), secret, secret[:len(secret)/2], 1)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"others":     {string(private), 0o640, "can be read or changed by others (mode 0640)"},
		"world":      {string(private), 0o604, "(mode 0604)"},
		"half":       {half, 0o600, "its PKCS #8 cannot be read"},
		"no pem":     {secret, 0o600, "it is not PEM"},
		"two":        {string(private) + string(private), 0o600, "it is not one private key"},
		"public":     {string(line), 0o600, "it is not PEM"},
		"encrypted":  {strings.ReplaceAll(string(private), "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), 0o600, "it is encrypted"},
		"other kind": {strings.ReplaceAll(string(private), "PRIVATE KEY", "RSA PRIVATE KEY"), 0o600, "PKCS #8"},
	} {
		_, err := LoadSigningKey(write("bad", []byte(c.text), c.mode))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		var hinted *SignatureError
		if errors.As(err, &hinted) && (strings.Contains(err.Error()+hinted.Help, secret[:8]) || strings.Contains(err.Error()+hinted.Help, secret[20:])) {
			t.Errorf("%s: the message shows the key", name)
		}
		os.Remove(filepath.Join(dir, "bad"))
	}
	for _, name := range []string{"", "two words", "a,b", "*@shop.example", "#a", "a\nb"} {
		if _, _, err := NewSigningKey(name); err == nil {
			t.Errorf("a signer may be called %q", name)
		}
	}
}

// A file of allowed signers is read whole, or not at all.
func TestAllowedSigners(t *testing.T) {
	_, ada := signing(t, "ada@shop.example")
	_, line, err := NewSigningKey("bo@shop.example")
	if err != nil {
		t.Fatal(err)
	}
	bo := string(line)
	a := allow(t, "# Who may sign.\n\n"+ada+"\n"+bo)
	if len(a.keys) != 2 || a.keys[0].name != "ada@shop.example" || a.keys[1].name != "bo@shop.example" {
		t.Errorf("%+v", a.keys)
	}
	for name, text := range map[string]string{
		"nobody":          "# nobody\n",
		"the same twice":  ada + ada,
		"another type":    "bo ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==\n",
		"no base64":       "bo ssh-ed25519 ????\n",
		"half a key":      bo[:len(bo)-20] + "\n",
		"an authority":    strings.Replace(bo, "ssh-ed25519", "cert-authority ssh-ed25519", 1),
		"a date":          strings.Replace(bo, "ssh-ed25519", `valid-before="20260101" ssh-ed25519`, 1),
		"another purpose": strings.Replace(bo, "ssh-ed25519", `namespaces="git" ssh-ed25519`, 1),
		"a pattern":       strings.Replace(bo, "bo@", "*@", 1),
		"an open block":   strings.Replace(ada, "-----END", "----END", 1),
		"a private key":   strings.ReplaceAll(ada, "PUBLIC", "PRIVATE"),
		"words":           "whoever likes to\n",
		"no key":          "bo ssh-ed25519\n",
	} {
		if _, err := ParseAllowedSigners("allowed", []byte(text)); err == nil {
			t.Errorf("%s is allowed", name)
		}
	}
}

// No signature file makes the reader panic, and none that was not made by the key is valid.
func FuzzSignatures(f *testing.F) {
	ada, line := signing(f, "ada@shop.example")
	allowed := allow(f, line)
	good, err := Sign(signedPolicy, ada, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQ==\n-----END SSH SIGNATURE-----\n"))
	f.Add([]byte(`{"payloadType":"a","payload":"","signatures":[{}]}`))
	other := append(bytes.Clone(signedPolicy), "# another\n"...)
	f.Fuzz(func(t *testing.T, sig []byte) {
		signers, _ := Signatures(other, sig, allowed)
		for _, s := range signers {
			if s.Valid {
				t.Fatalf("a signature of other bytes is valid: %q", sig)
			}
		}
	})
}

// One person is one signer, in whatever case the name stands there, and no byte that
// nobody sees makes two of one.
func TestOnePersonIsOneSigner(t *testing.T) {
	two := func(a, b string) []Signer {
		return []Signer{{Name: a, Key: "SHA256:a", Valid: true}, {Name: b, Key: "SHA256:b", Valid: true}}
	}
	if err := Approve(two("ada@shop.example", "Ada@Shop.example"), 2); err == nil {
		t.Error("one person in two spellings are two signers")
	}
	if err := Approve(two("ada@shop.example", "bo@shop.example"), 2); err != nil {
		t.Errorf("two people: %v", err)
	}
	_, line, err := NewSigningKey("ada@shop.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseAllowedSigners("allowed", line); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"\ufeff" + string(line), "# somebody\n\ufeff" + string(line)} {
		if _, err := ParseAllowedSigners("allowed", []byte(text)); err == nil || !strings.Contains(err.Error(), "allowed holds a byte order mark") {
			t.Errorf("a byte order mark: %v", err)
		}
	}
}
