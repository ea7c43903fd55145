package masking

import "math/bits"

// Trigonometry in whole numbers. The functions of package math may differ in the
// last bit from one processor to another (some have instructions or assembly of
// their own, some fuse a product with a sum), and then a place would mask otherwise
// on another machine. Volder's CORDIC needs shifts and sums alone ("The CORDIC
// Trigonometric Computing Technique", 1959), and is good to 10⁻¹⁰ degrees here.

// An angle is a whole number of 2⁻²⁴ nanodegrees: 180° is 3.02·10¹⁸.
const (
	angleBits = 24
	nano      = 1_000_000_000 // nanodegrees in a degree
)

// fixed is a fraction of 2⁻⁶⁰, below 4.
type fixed = int64

const (
	fixedBits = 60
	fixedOne  = fixed(1) << fixedBits
	// cordicGain is what the steps lengthen a vector by, inverted: Π 1/√(1+4⁻ⁱ).
	cordicGain = fixed(700_114_967_507_363_238)
)

// arctans are the angles whose tangents are 2⁻ⁱ.
var arctans = [48]int64{
	754_974_720_000_000_000, 445_687_601_648_891_676, 235_489_088_489_991_603, 119_537_938_289_056_820, 60_000_934_297_555_558, 30_029_716_895_235_686,
	15_018_522_693_732_599, 7_509_719_629_188_405, 3_754_917_107_751_043, 1_877_465_715_765_999, 938_733_753_126_993, 469_366_988_469_236,
	234_683_508_222_843, 117_341_755_859_950, 58_670_878_148_541, 29_335_439_101_591, 14_667_719_554_211, 7_333_859_777_532,
	3_666_929_888_819, 1_833_464_944_416, 916_732_472_209, 458_366_236_105, 229_183_118_052, 114_591_559_026,
	57_295_779_513, 28_647_889_757, 14_323_944_878, 7_161_972_439, 3_580_986_220, 1_790_493_110,
	895_246_555, 447_623_277, 223_811_639, 111_905_819, 55_952_910, 27_976_455,
	13_988_227, 6_994_114, 3_497_057, 1_748_528, 874_264, 437_132,
	218_566, 109_283, 54_642, 27_321, 13_660, 6_830,
}

// multiply returns a·b, rounded towards zero.
func multiply(a, b fixed) fixed {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	m := int64(high<<(64-fixedBits) | low>>fixedBits)
	if (a < 0) != (b < 0) {
		return -m
	}
	return m
}

// sincos returns the sine and the cosine of an angle from −90° to 90°.
func sincos(angle int64) (sin, cos fixed) {
	x, y := cordicGain, fixed(0)
	for i, step := range arctans {
		// All ones if the angle is negative, and then the step goes the other way: a
		// branch on it would be guessed wrongly every other time.
		sign := angle >> 63
		dx, dy := y>>i^sign-sign, x>>i^sign-sign
		x, y, angle = x-dx, y+dy, angle-(step^sign-sign)
	}
	return y, x
}

// polar returns the angle of a vector, from −180° to 180°, and its length. The
// vector is no longer than about 1.
func polar(x, y fixed) (angle int64, length fixed) {
	if x < 0 {
		angle = 180 * nano << angleBits
		if y < 0 {
			angle = -angle
		}
		x, y = -x, -y
	}
	for i, step := range arctans {
		sign := y >> 63
		dx, dy := y>>i^sign-sign, x>>i^sign-sign
		x, y, angle = x+dx, y-dy, angle+(step^sign-sign)
	}
	return angle, multiply(x, cordicGain)
}

// travel returns the latitude that lies east and north of another by two angles in
// radians, of up to a sixtieth, and how far east in longitude: on a sphere, along
// the great circle, so that neither a pole nor the date line is anything special.
func travel(latitude int64, east, north fixed) (lat, eastward int64) {
	sin, cos := sincos(latitude)
	// d is the square of the distance. Both series end below 10⁻¹³.
	d := multiply(east, east) + multiply(north, north)
	cosD := fixedOne - d/2 + multiply(d, d)/24
	sincD := fixedOne - d/6 + multiply(d, d)/120
	east, north = multiply(east, sincD), multiply(north, sincD)
	x := multiply(cosD, cos) - multiply(north, sin)
	z := multiply(cosD, sin) + multiply(north, cos)
	eastward, length := polar(x, east)
	lat, _ = polar(length, z)
	return lat, eastward
}
