package masking

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

func faked(variant string, kv ...any) Spec {
	return Spec{Name: "fake", Variant: variant, Params: params(kv...)}
}

func ipv4(x uint32) string {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, x))).String()
}

func ipv6(i int) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], 0x20010db8<<32|mix(i/64)&0xff)
	binary.BigEndian.PutUint64(b[8:], mix(i))
	return netip.AddrFrom16(b).String()
}

// anyIP gives addresses and networks of both versions and of every class.
func anyIP(i int) any {
	switch i % 8 {
	case 0, 1:
		return ipv4(uint32(i) * 0x9e3779b1)
	case 2, 3:
		return ipv6(i)
	case 4:
		return fmt.Sprintf("10.%d.%d.%d/24", i>>16&0xff, i>>8&0xff, i&0xff)
	case 5:
		return "fe80::" + fmt.Sprintf("%x:%x", i>>12, i&0xfff+0x1000)
	case 6:
		return "::ffff:" + ipv4(uint32(i)*0x9e3779b1)
	}
	return fmt.Sprintf("172.%d.%d.0/22", 16+i>>14&15, i>>6&0xfc)
}

func sameAddressKind(in, out any) string {
	read := func(v any) (netip.Addr, int) {
		s := v.(string)
		if p, err := netip.ParsePrefix(s); err == nil {
			return p.Addr(), p.Bits()
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Addr{}, -2
		}
		return a, -1
	}
	a, n := read(in)
	b, m := read(out)
	private := func(a netip.Addr) bool { return a.Unmap().IsPrivate() || a.IsLinkLocalUnicast() }
	switch {
	case m == -2:
		return "is no address"
	case n != m || a.Is4() != b.Is4() || a.Is4In6() != b.Is4In6():
		return "is of another form"
	case private(a) != private(b) || a.IsLoopback() != b.IsLoopback() || a.Unmap().IsMulticast() != b.Unmap().IsMulticast():
		return "is of another class"
	case n >= 0 && !a.Is4In6() && (netip.PrefixFrom(a, n).Masked().Addr() == a) != (netip.PrefixFrom(b, n).Masked().Addr() == b):
		return "is a network, or no longer one"
	}
	if b.String() != strings.Split(out.(string), "/")[0] {
		return "is not in its usual form"
	}
	return ""
}

func macText(i int) any {
	x := mix(i)
	switch i % 3 {
	case 0:
		return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", x>>40&0xff, x>>32&0xff, x>>24&0xff, x>>16&0xff, x>>8&0xff, x&0xff)
	case 1:
		return fmt.Sprintf("%02X-%02X-%02X-%02X-%02X-%02X", x>>40&0xff, x>>32&0xff, x>>24&0xff, x>>16&0xff, x>>8&0xff, x&0xff)
	}
	return fmt.Sprintf("%016x", x)
}

func urlText(i int) any {
	return []string{
		fmt.Sprintf("https://www.corp-%d.com/users/%x?id=%d&q=a%%20b#top", i/7, i, i),
		fmt.Sprintf("http://ann:secret@10.1.%d.%d:8080/a/b.html", i>>8&0xff, i&0xff),
		fmt.Sprintf("mailto:user%d@corp.com?subject=hello", i),
		fmt.Sprintf("/orders/%d/", i),
		fmt.Sprintf("corp%d.com:80/x", i),
		fmt.Sprintf("tel:+1-212-%07d", i),
		fmt.Sprintf("ftp://[2001:db8::%x]/f", i&0xffff),
	}[i%7]
}

// shortURL has a longer path where the host is cut until only its ending is left: of
// one letter there are so few masks that two keys often agree.
func shortURL(i int) any {
	if i%7 == 6 {
		return fmt.Sprintf("%s%05d", urlText(i), i)
	}
	return urlText(i)
}

func parses(in, out any) string {
	if u, err := url.Parse(out.(string)); err != nil {
		return "is not a URL"
	} else if u.Host != "" && !strings.HasSuffix(u.Hostname(), ".test") {
		if _, err := netip.ParseAddr(u.Hostname()); err != nil && u.Hostname() != "localhost" {
			return "has a host that somebody could have"
		}
	}
	return ""
}

var _ = addLawCases(
	lawCase{name: "ip", spec: faked("ip"), col: Column{Kind: IP, Unique: true}, value: anyIP, fits: sameAddressKind, few: true},
	lawCase{name: "ip of one network", spec: faked("ip"), col: Column{Kind: Text, Unique: true}, value: func(i int) any { return ipv4(0xc0a80000 | uint32(i)) }, count: 1 << 16, fits: sameAddressKind},
	lawCase{name: "ip keep 8", spec: faked("ip", "keep", int64(8)), col: Column{Kind: IP, Unique: true}, value: func(i int) any { return ipv4(192<<24 | uint32(i)<<4) }, count: 1 << 20, fits: sameAddressKind, few: true},
	lawCase{name: "ip keep 24", spec: faked("ip", "keep", int64(24)), col: Column{Kind: IP, Unique: true}, value: anyIP, fits: sameAddressKind, few: true},
	lawCase{name: "ip reserved", spec: faked("ip", "range", "reserved"), col: Column{Kind: Text, MaxChars: 45}, value: func(i int) any { return ipv4(8<<24 | uint32(i)) }, few: true,
		fits: matches(func(s string) bool { return netip.MustParsePrefix("198.18.0.0/15").Contains(netip.MustParseAddr(s)) })},
	lawCase{name: "ip and other texts", spec: faked("ip"), col: Column{Kind: Text, MaxChars: 45}, value: func(i int) any {
		if i%3 == 0 {
			return wordsOf(i)
		}
		return anyIP(i)
	}, few: true},
	lawCase{name: "mac", spec: faked("mac"), col: Column{Kind: MAC, Unique: true}, value: macText, fits: func(in, out any) string {
		a, _ := parseMAC([]byte(in.(string)))
		b, ok := parseMAC([]byte(out.(string)))
		if !ok || a.width != b.width || a.upper != b.upper && a.upper && strings.ToLower(out.(string)) != out.(string) {
			return "is of another form"
		}
		if top := (a.v ^ b.v) >> (a.width - 8); top&3 != macLocal {
			return "is not of the other half, or another group bit"
		}
		return ""
	}},
	lawCase{name: "mac reserved", spec: faked("mac", "range", "reserved"), col: Column{Kind: Text}, value: macText, fits: matches(func(s string) bool {
		m, ok := parseMAC([]byte(s))
		return ok && m.v>>(m.width-8)&macLocal != 0
	})},
	lawCase{name: "host", spec: faked("host"), col: Column{Kind: Text}, value: func(i int) any { return fmt.Sprintf("h%d.dept%d.corp.com", i, i%9) }, fits: func(in, out any) string {
		if a, b := in.(string), out.(string); strings.Count(a, ".") != strings.Count(b, ".") || !strings.HasSuffix(b, ".test") {
			return "has another depth"
		}
		return ""
	}},
	lawCase{name: "host, short", spec: faked("host"), col: Column{Kind: Text, MaxChars: 24}, value: func(i int) any { return fmt.Sprintf("h%d.dept%d.corp.com", i, i%9) }, fits: matches(func(s string) bool { return strings.HasSuffix(s, ".test") })},
	lawCase{name: "url", spec: faked("url"), col: Column{Kind: Text}, value: urlText, fits: parses},
	lawCase{name: "url, short", spec: faked("url"), col: Column{Kind: Text, MaxChars: 40}, value: shortURL, fits: parses},
	lawCase{name: "user agent", spec: faked("user_agent"), col: Column{Kind: Text, MaxChars: 120}, value: wordsOf, few: true, fits: matches(func(s string) bool { return slices.Contains(dictionary.UserAgents(), s) })},
)

var _ = addVectors(vectorSet{"network", []vector{
	{"d", Column{Kind: IP}, faked("ip"), []any{"93.184.216.34", "93.184.216.34/24", "93.184.216.0/24", "93.184.0.0/16", "10.1.2.3", "172.31.255.254", "192.168.1.1", "100.64.0.1", "169.254.1.1", "224.0.0.251", "127.0.0.1", "0.0.0.0", "255.255.255.255",
		"2001:db8::1", "2001:db8::/48", "::1", "::", "fe80::1", "fd12:3456:789a::1", "ff02::fb", "::ffff:93.184.216.34", "::ffff:93.184.216.0/120", nil}, nil},
	{"e", Column{Kind: IP}, faked("ip"), []any{"93.184.216.34"}, nil},
	{"d", Column{Kind: IP}, faked("ip", "keep", int64(8)), []any{"93.184.216.34", "2001:db8::1"}, nil},
	{"d", Column{Kind: Text}, faked("ip"), []any{"93.184.216.34", "2001:0DB8::0:1", "fe80::1%eth0", "unknown", "010.1.1.1", "", "1.2.3.4:80"}, nil},
	{"d", Column{Kind: Text}, faked("ip", "range", "reserved"), []any{"93.184.216.34", "10.0.0.0/8", "2001:db8::1", "2001:db8::/32", "127.0.0.1"}, nil},
	{"d", Column{Kind: MAC}, faked("mac"), []any{"00:1b:44:11:3a:b7", "02:1b:44:11:3a:b7", "01:00:5e:00:00:fb", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "00:1b:44:ff:fe:11:3a:b7"}, nil},
	{"d", Column{Kind: Text}, faked("mac"), []any{"00-1B-44-11-3A-B7", "001b.4411.3ab7", "aB:00:00:00:00:00", "none"}, nil},
	{"d", Column{Kind: Text}, faked("mac", "range", "reserved"), []any{"00:1b:44:11:3a:b7", "02:1b:44:11:3a:b7"}, nil},
	{"d", Column{Kind: Text}, faked("host"), []any{"www.shop.corp.com", "WWW.Shop.Corp.com.", "shop.corp.com:8080", "db1", "localhost", "93.184.216.34:80", "[2001:db8::1]:80", "münchen.example"}, nil},
	{"d", Column{Kind: Text, MaxChars: 20}, faked("host"), []any{"www.shop.corp.com"}, nil},
	{"d", Column{Kind: Text}, faked("url"), []any{"https://ann:pw@www.shop.corp.com:8443/users/Ann%20Smith/photo.jpg?id=42&ann@x.y&tag=%C3%A9#a1", "HTTP://Shop.Corp.Com", "mailto:ann.smith@corp.example,bob@corp.example?subject=hi", "//cdn.corp.com/x.js", "shop.corp.com/a", "/a/b/c?x", "readme.txt", "tel:+1-212-555-0123", "ann:secret", "file:///home/ann/x.pdf", "not a url at all", ""}, nil},
	{"d", Column{Kind: Text, MaxChars: 40}, faked("url"), []any{"https://ann:pw@www.shop.corp.com:8443/users/Ann%20Smith/photo.jpg"}, nil},
	{"d", Column{Kind: Text}, faked("user_agent"), []any{"curl/8.5.0", "Mozilla/5.0", ""}, nil},
}})

func TestAddressesThatStay(t *testing.T) {
	mask := situation(t, Column{Kind: IP}, faked("ip"))
	in := []any{"127.0.0.1", "127.255.0.3", "0.0.0.0", "0.0.0.0/0", "255.255.255.255", "240.0.0.1", "::", "::1", "::/0", "10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32", "::ffff:127.0.0.1"}
	if out := mask(in...); !slices.Equal(in, out) {
		t.Errorf("became %v", out)
	}
}

// Whatever the prefix length, networks and addresses of one never meet.
func TestNetworksAreExchangedAmongThemselves(t *testing.T) {
	for _, keep := range []int64{8, 16, 24} {
		mask := situation(t, Column{Kind: IP, Unique: true}, faked("ip", "keep", keep))
		for length := 8; length <= 32; length += 4 {
			var in []any
			seen := map[any]bool{}
			for i := range 600 {
				s := fmt.Sprintf("%s/%d", ipv4(172<<24|31<<16|uint32(i)<<7), length)
				if !seen[s] {
					in = append(in, s)
				}
				seen[s] = true
			}
			seen = map[any]bool{}
			for i, v := range mask(in...) {
				if wrong := sameAddressKind(in[i], v); wrong != "" || seen[v] {
					t.Fatalf("keep %d, length %d: value %d %s", keep, length, i, wrong)
				}
				seen[v] = true
			}
		}
	}
}

func TestHardwareAddressesNeverMeet(t *testing.T) {
	mask := situation(t, Column{Kind: MAC, Unique: true}, faked("mac"))
	seen := map[any]bool{}
	for local := range 4 {
		for i := range 5000 {
			v := mask(fmt.Sprintf("%02x:00:00:00:%02x:%02x", local, i>>8, i&0xff))[0]
			if seen[v] {
				t.Fatal("two addresses met")
			}
			seen[v] = true
		}
	}
}

// Hosts of one domain share it, in a column of hosts, of URLs and of addresses.
func TestHostsAgree(t *testing.T) {
	hosts := situation(t, Column{Kind: Text}, faked("host"))("www.shop.corp.com", "Shop.CORP.com", "mail.corp.com", "shop.other.com", "93.184.216.34")
	urls := situation(t, Column{Kind: Text}, faked("url"))("https://www.shop.corp.com/x", "shop.corp.com/x", "http://93.184.216.34/", "mailto:ann@corp.example")
	ips := situation(t, Column{Kind: Text}, faked("ip"))("93.184.216.34")
	emails := situation(t, Column{Kind: Text}, email())("ann@corp.example")
	text := func(v any) string { return v.(string) }
	domain := func(v any) string { p := strings.Split(text(v), "."); return p[len(p)-2] }
	if text(hosts[0]) != "www."+text(hosts[1]) || domain(hosts[0]) != domain(hosts[2]) || domain(hosts[1]) == domain(hosts[3]) {
		t.Errorf("hosts became %v", hosts)
	}
	if strings.Split(text(hosts[1]), ".")[0] == strings.Split(text(hosts[3]), ".")[0] {
		t.Error("equal labels of two domains have one mask")
	}
	if !strings.HasPrefix(text(urls[0]), "https://"+text(hosts[0])+"/") || !strings.HasPrefix(text(urls[1]), text(hosts[1])+"/") || text(urls[2]) != "http://"+text(hosts[4])+"/" {
		t.Errorf("URLs became %v", urls)
	}
	if hosts[4] != ips[0] || text(urls[3]) != "mailto:"+text(emails[0]) {
		t.Errorf("%v and %v became %v", ips, emails, urls[3])
	}
}

func TestNetworkThatCannotBe(t *testing.T) {
	text := Column{Kind: Text}
	refused(t, Column{Kind: MAC}, faked("ip"), "kind mac")
	refused(t, Column{Kind: IP}, faked("first_name"), "kind ip")
	refused(t, Column{Kind: Text, MaxChars: 14}, faked("ip"), "15 characters")
	refused(t, text, faked("ip", "keep", int64(7)), "8 to 24")
	refused(t, text, faked("ip", "range", "private"), "range")
	refused(t, text, faked("ip", "range", "reserved", "keep", int64(16)), "range")
	refused(t, Column{Kind: IP, Unique: true}, faked("ip", "range", "reserved"), "too few")
	refused(t, Column{Kind: MAC, Unique: true}, faked("mac", "range", "reserved"), "half")
	refused(t, text, faked("mac", "range", "x"), "range")
	refused(t, Column{Kind: Text, MaxChars: 5}, faked("host"), "6 characters")
	refused(t, Column{Kind: Text, Unique: true}, faked("host"), "unique")
	refused(t, Column{Kind: Text, Unique: true}, faked("url"), "unique")
	refused(t, Column{Kind: Text, MaxChars: 39}, faked("url"), "40 characters")
	refused(t, Column{Kind: Text, MaxChars: 8}, faked("user_agent"), "fits")
	refused(t, Column{Kind: Text, Equality: FoldUnknown}, faked("host"), "only the database knows")
	rejected(t, Column{Kind: Text, Unique: true}, faked("ip"), []any{"1.2.3.4", "unknown"}, 1, "not an IP")
	rejected(t, Column{Kind: Text, Unique: true}, faked("ip"), []any{"2001:DB8::1"}, 0, "usual form")
	rejected(t, Column{Kind: IP}, faked("ip"), []any{"1.2.3"}, 0, "not an IP")
	rejected(t, Column{Kind: Text, MaxChars: 20}, faked("ip"), []any{"2001:db8::1"}, 0, "20 characters")
	rejected(t, Column{Kind: MAC}, faked("mac"), []any{"00:1b"}, 0, "not a hardware")
}

func FuzzIP(f *testing.F) {
	for _, s := range []string{"1.2.3.4", "1.2.3.4/24", "::", "::1", "1::", "2001:db8::1/64", "::ffff:1.2.3.4", "fe80::1%eth0", "01.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "::1:2:3:4:5:6:7", "1::2::3", ":1", "1:", "12345::", "1.2.3.4.5", "/", "%", "::ffff:0:0/96"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, ok := parseAddress([]byte(text))
		body, _, hasLength := strings.Cut(text, "/")
		want, err := netip.ParseAddr(body)
		if hasLength {
			_, err = netip.ParsePrefix(text)
		}
		if zone := want.Zone(); err == nil && (len(zone) > 15 || strings.Trim(zone, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "") {
			return
		}
		if ok != (err == nil) {
			t.Fatalf("read %t, netip %v", ok, err)
		}
		if !ok {
			return
		}
		length := a.length
		a.length = -1
		if got := string(a.append(nil)); got != want.String() {
			t.Fatal("written in another form")
		}
		a.length = length
		if hasLength {
			p := netip.MustParsePrefix(text)
			if p.Bits() != length || !a.mapped && p.Bits() < p.Addr().BitLen() && a.network() != (p.Masked().Addr() == p.Addr()) {
				t.Fatal("another network")
			}
		}
		for _, spec := range []Spec{faked("ip", "keep", int64(8)), faked("ip", "range", "reserved")} {
			out := situation(t, Column{Kind: IP}, spec)(text)[0].(string)
			b, ok := parseAddress([]byte(out))
			if !ok || b.length != length || b.v4 != a.v4 || b.mapped != a.mapped || spec.Params["keep"] != nil && b.network() != a.network() {
				t.Fatal("of another form")
			}
		}
	})
}

func FuzzURL(f *testing.F) {
	for i := range 7 {
		f.Add(urlText(i).(string), uint8(i*20))
	}
	for _, s := range []string{"http://", "//", "a:b", "http://[::1", "http://a:b@c:d@e:99999/%zz%41%20", "x://y?z=%", "?=&;=", "#", "mailto:", "mailto:,,", "1.2.3.4/5", "a b.c", "http:////x", ":", "%", "./a:b", "é.example/é", "http://h:/", "www..com", ".."} {
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, most uint8) {
		col := Column{Kind: Text}
		if most >= 40 {
			col.MaxChars = int(most)
		}
		out := situation(t, col, faked("url"))(text)[0].(string)
		if blank([]byte(text)) {
			return
		}
		if _, err := url.Parse(out); err != nil {
			t.Fatalf("%q became what is no URL: %v", text, err)
		}
		if col.MaxChars > 0 && len(out) > col.MaxChars {
			t.Fatalf("%q became %d characters of %d", text, len(out), col.MaxChars)
		}
		host := situation(t, col, faked("host"))(text)[0].(string)
		if strings.ContainsAny(host, "/?#@ \n") || col.MaxChars > 0 && len(host) > col.MaxChars {
			t.Fatalf("%q became the host %q", text, host)
		}
	})
}
