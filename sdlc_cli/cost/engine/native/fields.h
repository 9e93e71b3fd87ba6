/* The fields that are wanted, and what is made of their values. */

#ifndef SDLC_FIELDS_H
#define SDLC_FIELDS_H

#include "json.h"

/* What is made of a field: `Kind` in shapes.py. Whatever is not named makes the line odd. */
enum Kind { OBJECT, COUNT, TIME, TEXT, NAME, LOOSE, RAW, AMOUNT, ZERO, NEVER, PLAIN };

struct Field {
    const char *key, *title; /* NULL for no column */
    int32_t kind, parent;    /* the field that it is in, below 0 at the top */
};

struct Found {
    At begin, end;
    int64_t number;
    int escaped;
};

/* A whole number from 0 to below 2^53, written as one; NULL for all else. */
static At count(At p, int64_t *number)
{
    At begin = p;
    int64_t sum = 0;
    for (; *p >= '0' && *p <= '9' && p - begin < 16; p++)
        sum = sum * 10 + (*p - '0');
    if (p == begin || (*begin == '0' && p - begin > 1) || sum >= (int64_t)1 << 53)
        return NULL;
    *number = sum;
    return (*p >= '0' && *p <= '9') || *p == '.' || (*p | 0x20) == 'e' ? NULL : p;
}

/* As many digits as `length` as a number; below 0 where one is none. */
static inline int64_t figures(At p, int length)
{
    int64_t sum = 0;
    for (int i = 0; i < length; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        sum = sum * 10 + (p[i] - '0');
    }
    return sum;
}

/* Days from 1970 to a day of the years 2000 to 2099; below 0 where there is no such day. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    static const int16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    if (year < 0 || month < 1 || month > 12 || day < 1)
        return -1;
    int leap = year % 4 == 0;
    if (day > before[month] - before[month - 1] + (leap && month == 2))
        return -1;
    return 10957 + 365 * year + (year + 3) / 4 + before[month - 1] + (leap && month > 2) + day - 1;
}

/* `20..-..-..T..:..:..Z`, with 3 or 6 digits of a second or none. */
static int64_t written_time(At p, size_t length)
{
    if (memcmp(p, "20", 2) || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' ||
        p[16] != ':' || p[length - 1] != 'Z' || (length > 20 && p[19] != '.'))
        return -1;
    int64_t day = days(figures(p + 2, 2), figures(p + 5, 2), figures(p + 8, 2));
    int64_t hour = figures(p + 11, 2), minute = figures(p + 14, 2), second = figures(p + 17, 2);
    int64_t part = length == 20 ? 0 : figures(p + 20, length - 21);
    if (day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 59 || part < 0)
        return -1;
    part *= length == 24 ? 1000 : 1;
    return (((day * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + part;
}

static int64_t time_of(At p, size_t length)
{
    if (length == 20 || length == 24 || length == 27)
        return written_time(p, length);
    if (length != 10 && length != 13)
        return -1;
    int64_t number = figures(p, length);
    if (number < 0 || (length == 13 && number < 100000000000))
        return -1;
    return number * (length == 10 ? 1000000 : 1000);
}

/* An amount of dollars, of up to nine digits before the point; NULL where it is none. */
static At amount(At p)
{
    At begin = p, point = digits(p);
    p = number(p);
    return p && point > begin && point - begin < 10 &&
                   !memchr(begin, 'e', p - begin) && !memchr(begin, 'E', p - begin)
               ? p
               : NULL;
}

/* A wanted value that is not null; NULL where it is odd. */
static At wanted(At p, enum Kind kind, struct Found *found)
{
    found->escaped = 0;
    if (kind == COUNT || kind == ZERO) {
        p = count(p, &found->number);
        return kind == ZERO && p && found->number ? NULL : p;
    }
    if (kind == AMOUNT || kind == NEVER)
        return kind == AMOUNT ? amount(p) : NULL;
    found->begin = p;
    if (kind == RAW)
        return found->end = value(p);
    if (*p == '"') {
        found->begin = p + 1;
        p = string(p + 1, &found->escaped);
        found->end = p ? p - 1 : p;
    } else {
        if (kind == TEXT || kind == NAME || kind == PLAIN || *p == '{' || *p == '[')
            return NULL;
        p = found->end = scalar(p);
    }
    if (kind == PLAIN && found->escaped)
        return NULL;
    if (p && kind == TIME) {
        if (found->end == found->begin)
            found->number = -1; /* no time is told */
        else if ((found->number = time_of(found->begin, found->end - found->begin)) < 0)
            return NULL;
    }
    return p;
}

#endif
