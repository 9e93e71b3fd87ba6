/* Walks over JSON text and holds it against the grammar.
 *
 * Text is given by a pointer into a buffer that ends in a newline and MARGIN bytes of anything.
 * No token goes on over a newline, so nothing is read beyond the end. Each function takes the
 * place where something begins and gives the place behind it, or NULL where it is not JSON.
 */

#ifndef SDLC_JSON_H
#define SDLC_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#define MARGIN 64
#define DEEPEST 128 /* objects and arrays in one another; what is deeper is for another reader */
#define LONGEST_NUMBER 300

typedef const uint8_t *At;

static inline At space(At p)
{
    while (*p == ' ' || *p == '\t' || *p == '\r')
        p++;
    return p;
}

/* `telling` gives the next byte of a string that is its end, an escape, no ASCII or not allowed. */
#ifdef __SSE2__

/* Signed, bytes from 0x80 on are less than a space, too. */
static inline unsigned tells_16(At p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i found = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                 _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return _mm_movemask_epi8(_mm_or_si128(found, _mm_cmplt_epi8(v, _mm_set1_epi8(' '))));
}

static At telling_16(At p)
{
    unsigned mask;
    while (!(mask = tells_16(p)))
        p += 16;
    return p + __builtin_ctz(mask);
}

__attribute__((target("avx2"))) static At telling_32(At p)
{
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\');
    const __m256i least = _mm256_set1_epi8(' ');
    for (;; p += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)p);
        __m256i found = _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash));
        unsigned mask = _mm256_movemask_epi8(_mm256_or_si256(found, _mm256_cmpgt_epi8(least, v)));
        if (mask)
            return p + __builtin_ctz(mask);
    }
}

static At (*telling_far)(At) = telling_16; /* for texts that are longer than most */

static void choose_instructions(void)
{
    if (__builtin_cpu_supports("avx2"))
        telling_far = telling_32;
}

static inline At telling(At p)
{
    unsigned mask = tells_16(p);
    return mask ? p + __builtin_ctz(mask) : telling_far(p + 16);
}

#else

static void choose_instructions(void) {}

static inline At telling(At p)
{
    while (*p != '"' && *p != '\\' && *p >= ' ' && *p < 0x80)
        p++;
    return p;
}

#endif

static inline int hex(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Four hexadecimal digits; below 0 where they are not. */
static inline int32_t unit(At p)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex(p[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* An escape, `p` at its backslash; the letter that it stands for comes in `letter`. */
static At escape(At p, int32_t *letter)
{
    static const char short_names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (p[1] != 'u') {
        const char *name = p[1] ? strchr(short_names, p[1]) : NULL;
        if (!name)
            return NULL;
        *letter = meant[name - short_names];
        return p + 2;
    }
    int32_t high = unit(p + 2);
    if (high < 0 || (high >= 0xDC00 && high < 0xE000))
        return NULL;
    if (high < 0xD800 || high >= 0xE000) {
        *letter = high;
        return p + 6;
    }
    int32_t low = p[6] == '\\' && p[7] == 'u' ? unit(p + 8) : -1;
    if (low < 0xDC00 || low >= 0xE000)
        return NULL;
    *letter = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return p + 12;
}

static inline int follows(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/* A letter of UTF-8 that is no ASCII. */
static inline At wide(At p)
{
    uint8_t a = p[0], b = p[1];
    if (a >= 0xC2 && a < 0xE0)
        return follows(b) ? p + 2 : NULL;
    if (a >= 0xE0 && a < 0xF0) {
        if (!follows(b) || !follows(p[2]) || (a == 0xE0 && b < 0xA0) || (a == 0xED && b >= 0xA0))
            return NULL;
        return p + 3;
    }
    if (a < 0xF0 || a > 0xF4 || !follows(b) || (a == 0xF0 && b < 0x90) || (a == 0xF4 && b >= 0x90))
        return NULL;
    return follows(p[2]) && follows(p[3]) ? p + 4 : NULL;
}

/* A string, `p` behind its first quote. `escaped` is set where it has an escape. */
static inline At string(At p, int *escaped)
{
    int32_t letter;
    for (;;) {
        p = telling(p);
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            *escaped = 1;
            p = escape(p, &letter);
        } else if (*p >= 0x80) {
            p = wide(p);
        } else {
            return NULL;
        }
        if (!p)
            return NULL;
    }
}

/* Copies a string without its escapes; the length, which is no more than before. */
static size_t unescaped(At p, At end, uint8_t *to)
{
    uint8_t *begin = to;
    while (p < end) {
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        int32_t letter;
        p = escape(p, &letter);
        if (letter < 0x80) {
            *to++ = letter;
        } else if (letter < 0x800) {
            *to++ = 0xC0 | letter >> 6;
            *to++ = 0x80 | (letter & 0x3F);
        } else if (letter < 0x10000) {
            *to++ = 0xE0 | letter >> 12;
            *to++ = 0x80 | (letter >> 6 & 0x3F);
            *to++ = 0x80 | (letter & 0x3F);
        } else {
            *to++ = 0xF0 | letter >> 18;
            *to++ = 0x80 | (letter >> 12 & 0x3F);
            *to++ = 0x80 | (letter >> 6 & 0x3F);
            *to++ = 0x80 | (letter & 0x3F);
        }
    }
    return to - begin;
}

static inline At digits(At p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

/* A place behind digits; NULL where there is none. */
static inline At some_digits(At p)
{
    At end = digits(p);
    return end == p ? NULL : end;
}

static At number(At p)
{
    At begin = p;
    p += *p == '-';
    p = *p == '0' ? p + 1 : some_digits(p);
    if (p && *p == '.')
        p = some_digits(p + 1);
    if (p && (*p | 0x20) == 'e') {
        At power = p + 1 + (p[1] == '+' || p[1] == '-');
        p = some_digits(power);
        p = p && p - power <= 3 ? p : NULL;
    }
    return p && p - begin <= LONGEST_NUMBER ? p : NULL;
}

static inline At word(At p, const char *text, size_t length)
{
    return memcmp(p, text, length) ? NULL : p + length;
}

static inline At scalar(At p)
{
    int escaped;
    switch (*p) {
    case '"':
        return string(p + 1, &escaped);
    case 't':
        return word(p, "true", 4);
    case 'f':
        return word(p, "false", 5);
    case 'n':
        return word(p, "null", 4);
    default:
        return number(p);
    }
}

/* Any value. */
static At value(At p)
{
    uint8_t within[DEEPEST]; /* the bracket that closes each object and array that is open */
    int depth = 0, escaped;
    for (;;) {
        if (*p == '{' || *p == '[') {
            if (depth == DEEPEST)
                return NULL;
            uint8_t close = *p + 2;
            p = space(p + 1);
            if (*p != close) {
                within[depth++] = close;
                goto member;
            }
            p++;
        } else if (!(p = scalar(p))) {
            return NULL;
        }
        for (;;) {
            if (!depth)
                return p;
            p = space(p);
            if (*p == ',')
                break;
            if (*p++ != within[--depth])
                return NULL;
        }
        p = space(p + 1);
    member:
        if (within[depth - 1] == '}') {
            if (*p != '"' || !(p = string(p + 1, &escaped)))
                return NULL;
            p = space(p);
            if (*p++ != ':')
                return NULL;
            p = space(p);
        }
    }
}

#endif
