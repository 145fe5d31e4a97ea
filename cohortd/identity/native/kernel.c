/* Normalize and hash a whole column of plain ASCII text.
 *
 * A row is taken only if every character of it is understood here; whatever is not (another
 * script, a control character, a domain that IDNA has a say in, anything invalid) is left, and the
 * rules in Python decide about it. So there is one place that knows reasons, and to leave a row is
 * always right. The rules are those of emails.py, names.py, places.py and text.py, to the byte;
 * tests/unit/identity/test_kernel.py holds the two to each other.
 *
 * Columns come as Arrow has them: row i is data[offsets[i] .. offsets[i + 1]). Digests are 32 bytes
 * a row, zero where taken[i] is 0. Nothing is allocated, kept or shared: any number of threads may
 * call at once.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#define X86 1
#include <cpuid.h>
#include <immintrin.h>
#endif

#ifndef SOURCE
#define SOURCE ""
#endif
#define EXPORT __attribute__((visibility("default")))

enum {
    DIGEST = 32,
    BLOCK = 64,
    LONGEST = 320,              /* characters of an address: 64, the sign and 255; more is odd */
    LONGEST_LABEL = 63,
    LONGEST_DOMAIN = 253,
    SHORTEST_HASHED = 64,       /* what is shorter cannot hide a digest */
    ASK = 0xff,                 /* in a map of characters: leave the row to Python */
    DROP = 0,
};

/* ---- SHA-256, FIPS 180-4 ---- */

static const uint32_t START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

typedef void compression(uint32_t state[8], const uint8_t *data, size_t blocks);

static uint32_t rotated(uint32_t word, int by) { return word >> by | word << (32 - by); }

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_big_endian(uint8_t *at, uint32_t word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap32(word); /* byte by byte it would wait for every store */
#endif
    memcpy(at, &word, sizeof word);
}

static void compress_anywhere(uint32_t state[8], const uint8_t *data, size_t blocks) {
    for (; blocks; blocks--, data += BLOCK) {
        uint32_t w[64], s[8];
        for (int t = 0; t < 16; t++) w[t] = big_endian(data + 4 * t);
        for (int t = 16; t < 64; t++) {
            uint32_t a = w[t - 15], b = w[t - 2];
            w[t] = w[t - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[t - 7] +
                   (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
        }
        memcpy(s, state, sizeof s);
        for (int t = 0; t < 64; t++) {
            uint32_t e = rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25);
            uint32_t a = rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22);
            uint32_t one = s[7] + e + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[t] + w[t];
            uint32_t two = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += one;
            s[0] = one + two;
        }
        for (int i = 0; i < 8; i++) state[i] += s[i];
    }
}

#ifdef X86
/* Intel's SHA extensions keep the state as two vectors, ABEF and CDGH. */
__attribute__((target("sha,sse4.1,ssse3"))) static void
compress_x86(uint32_t state[8], const uint8_t *data, size_t blocks) {
    const __m128i swapped = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i abcd = _mm_loadu_si128((const __m128i *)state);
    __m128i efgh = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(abcd, 0xb1), hgfe = _mm_shuffle_epi32(efgh, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, cdab, 0xf0);
    for (; blocks; blocks--, data += BLOCK) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)data + i), swapped);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m128i *now = w + (i & 3), next = w[(i + 1) & 3], last = w[(i + 3) & 3];
            __m128i sum = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)K + i));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, next),
                                _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
            *now = _mm_sha256msg2_epu32(sum, last);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static int has_sha(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1;
}
#endif

static compression *fastest(void) {
#ifdef X86
    if (has_sha()) return compress_x86;
#endif
    return compress_anywhere;
}

/* Hash a message of any length; only its end is copied. */
static void hash(compression *compress, const uint8_t *message, size_t length, uint8_t *digest) {
    uint32_t state[8];
    uint8_t end[2 * BLOCK] = {0};
    size_t whole = length / BLOCK, left = length % BLOCK, blocks = left < BLOCK - 8 ? 1 : 2;
    memcpy(state, START, sizeof state);
    if (whole) compress(state, message, whole);
    if (left) memcpy(end, message + whole * BLOCK, left);
    end[left] = 0x80;
    put_big_endian(end + blocks * BLOCK - 8, (uint32_t)((uint64_t)length >> 29));
    put_big_endian(end + blocks * BLOCK - 4, (uint32_t)length << 3);
    compress(state, end, blocks);
    for (int i = 0; i < 8; i++) put_big_endian(digest + 4 * i, state[i]);
}

/* ---- Text ---- */

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static int is_small(uint8_t c) { return c >= 'a' && c <= 'z'; }
static int is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static size_t trimmed(const uint8_t **text, size_t length) {
    while (length && is_space((*text)[0])) ++*text, length--;
    while (length && is_space((*text)[length - 1])) length--;
    return length;
}

/* A host name that IDNA leaves as it is, of at least two labels. */
static int is_plain_domain(const uint8_t *domain, size_t length) {
    size_t start = 0, dots = 0;
    if (!length || length > LONGEST_DOMAIN) return 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && (is_small(domain[i]) || is_digit(domain[i]) || domain[i] == '-')) continue;
        if (i < length && domain[i] != '.') return 0;
        const uint8_t *label = domain + start;
        size_t size = i - start;
        if (!size || size > LONGEST_LABEL || label[0] == '-' || label[size - 1] == '-') return 0;
        if (size > 3 && label[2] == '-' && label[3] == '-') return 0;
        dots += i < length;
        start = i + 1;
    }
    return dots > 0;
}

static int is_gmail(const uint8_t *domain, size_t length) {
    return (length == 9 && !memcmp(domain, "gmail.com", 9)) ||
           (length == 14 && !memcmp(domain, "googlemail.com", 14));
}

/* Cut the mailbox at its first plus and drop its dots; the length of the whole, or 0. */
static size_t folded(uint8_t *address, size_t at, size_t length) {
    size_t kept = 0;
    for (size_t i = 0; i < at && address[i] != '+'; i++)
        if (address[i] != '.') address[kept++] = address[i];
    if (!kept) return 0;
    memmove(address + kept, address + at, length - at);
    return kept + length - at;
}

/* Write the normalized address; its length, or 0 to leave it. */
static size_t address(const uint8_t *text, size_t length, int fold_gmail, uint8_t *out) {
    uint8_t odd = 0;
    length = trimmed(&text, length);
    if (!length || length > LONGEST) return 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t c = text[i], upper = c >= 'A' && c <= 'Z';
        odd |= c <= ' ' || c >= 0x7f;
        out[i] = (uint8_t)(c | upper << 5);
    }
    const uint8_t *sign = memchr(out, '@', length);
    if (odd || !sign || sign == out) return 0;
    const uint8_t *domain = sign + 1; /* no second sign: that is no plain domain */
    size_t at = (size_t)(sign - out), size = length - at - 1;
    if (!is_plain_domain(domain, size)) return 0;
    return fold_gmail && is_gmail(domain, size) ? folded(out, at, length) : length;
}

/* ---- What Python calls ---- */

/* What this was built from: the build says it. */
EXPORT const char *cohortd_source(void) { return SOURCE; }

EXPORT int cohortd_has_sha(void) { return fastest() != compress_anywhere; }

EXPORT void cohortd_sha256(const uint8_t *data, const int64_t *offsets, int64_t rows,
                           uint8_t *digests) {
    compression *compress = fastest();
    for (int64_t i = 0; i < rows; i++)
        hash(compress, data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), digests + i * DIGEST);
}

EXPORT void cohortd_emails(const uint8_t *data, const int64_t *offsets, int64_t rows, int fold_gmail,
                           uint8_t *digests, uint8_t *taken) {
    compression *compress = fastest();
    uint8_t out[LONGEST];
    for (int64_t i = 0; i < rows; i++) {
        size_t length = address(data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), fold_gmail, out);
        taken[i] = length > 0;
        if (length) hash(compress, out, length, digests + i * DIGEST);
        else memset(digests + i * DIGEST, 0, DIGEST);
    }
}

/* Map character by character (to another, DROP or ASK); of what is then `least` to `most` characters
 * long, hash the first `first`. What says nothing, without a letter or a digit, and what could hide a
 * digest is left. */
EXPORT void cohortd_mapped(const uint8_t *data, const int64_t *offsets, int64_t rows,
                           const uint8_t map[256], int64_t least, int64_t most, int64_t first,
                           uint8_t *digests, uint8_t *taken) {
    compression *compress = fastest();
    uint8_t out[SHORTEST_HASHED];
    for (int64_t i = 0; i < rows; i++) {
        const uint8_t *text = data + offsets[i];
        size_t length = trimmed(&text, (size_t)(offsets[i + 1] - offsets[i]));
        int64_t kept = 0;
        int fits = length < SHORTEST_HASHED, says = 0;
        for (size_t j = 0; fits && j < length; j++) {
            uint8_t c = map[text[j]];
            fits = c != ASK;
            if (c == DROP) continue;
            says |= is_small(c) || is_digit(c);
            out[kept++] = c;
        }
        taken[i] = fits && says && kept >= least && kept <= most;
        if (taken[i]) hash(compress, out, (size_t)(kept < first ? kept : first), digests + i * DIGEST);
        else memset(digests + i * DIGEST, 0, DIGEST);
    }
}
