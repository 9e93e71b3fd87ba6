/* Spans of an OTLP export in protobuf, of which a few attributes are wanted, as rows of numbers.
 *
 * Everything in the body is held against the messages of opentelemetry-proto. A body that is not
 * plainly right is refused whole, a span that is unusual is marked: another reader has to look at
 * them. So what stands here may be less than protobuf allows, and is never more.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define DEEPEST 20        /* messages in messages */
#define MOST_SPANS 32768  /* in a body */
#define LONGEST 400       /* bytes of a wanted text */
#define LARGEST ((uint64_t)1 << 40)
#define BUCKETS 256
#define PROBES 256 /* of places of a profile: honest ones need 60 or so, made up ones any number */

/* What stands in a row: `plain.py` has the same. Texts are places in the body and lengths. */
#define TEXTS 7  /* by which spans are alike */
#define COUNTS 6 /* below 0 where they are not told */
enum { ANSWER = TEXTS, FIRST_COUNT, FLAG = FIRST_COUNT + COUNTS, NIL, UNUSUAL, SLOTS };
#define SPAN_CELLS (9 + COUNTS)
#define PROFILE_CELLS (3 + 2 * TEXTS)
#define GROUP_CELLS 4

typedef const uint8_t *At;

/* The name of an attribute, what it fills, and how good it is: 0 is best. */
struct Name {
    const char *key;
    int32_t length, slot, rank;
};

struct Cells {
    int64_t *cells;
    int64_t rows, room;
};

struct Export {
    struct Cells spans, profiles, groups;
};

struct Value {
    At begin;
    int64_t length, number;
    int32_t rank; /* below 0: not there */
};

struct Reader {
    At body;
    const struct Name *names;
    int16_t heads[BUCKETS], next[BUCKETS];
    struct Export *out;
    uint32_t places;
    int32_t *found; /* numbers of profiles, from 1 on, by their hash */
};

enum Wire { VARINT, WIDE, LONG, GROUP, END_GROUP, NARROW };
enum Message { ANY, PAIR, LIST, MAP, RESOURCE, ENTITY, SCOPE, SPAN, EVENT, LINK, STATUS, MESSAGES };
#define FIELDS 17

/* What a field holds. 0 is a field that we do not know. */
enum { MANY = 0x40, TEXT = 0x20, KNOWN = 0x80, INNER = 0x100 };
#define A(wire) (KNOWN | wire)
#define OF(message) (KNOWN | INNER | LONG | (message) << 9)

static const uint16_t parts[MESSAGES][FIELDS] = {
    [ANY] = {[1] = A(LONG) | TEXT, [2] = A(VARINT), [3] = A(VARINT), [4] = A(WIDE), [5] = OF(LIST),
             [6] = OF(MAP), [7] = A(LONG)},
    [PAIR] = {[1] = A(LONG) | TEXT, [2] = OF(ANY)},
    [LIST] = {[1] = OF(ANY) | MANY},
    [MAP] = {[1] = OF(PAIR) | MANY},
    [RESOURCE] = {[1] = OF(PAIR) | MANY, [2] = A(VARINT), [3] = OF(ENTITY) | MANY},
    [ENTITY] = {[1] = A(LONG) | TEXT, [2] = A(LONG) | TEXT, [3] = A(LONG) | TEXT | MANY,
                [4] = A(LONG) | TEXT | MANY},
    [SCOPE] = {[1] = A(LONG) | TEXT, [2] = A(LONG) | TEXT, [3] = OF(PAIR) | MANY, [4] = A(VARINT)},
    [SPAN] = {[1] = A(LONG), [2] = A(LONG), [3] = A(LONG) | TEXT, [4] = A(LONG),
              [5] = A(LONG) | TEXT, [6] = A(VARINT), [7] = A(WIDE), [8] = A(WIDE),
              [9] = OF(PAIR) | MANY, [10] = A(VARINT), [11] = OF(EVENT) | MANY, [12] = A(VARINT),
              [13] = OF(LINK) | MANY, [14] = A(VARINT), [15] = OF(STATUS), [16] = A(NARROW)},
    [EVENT] = {[1] = A(WIDE), [2] = A(LONG) | TEXT, [3] = OF(PAIR) | MANY, [4] = A(VARINT)},
    [LINK] = {[1] = A(LONG), [2] = A(LONG), [3] = A(LONG) | TEXT, [4] = OF(PAIR) | MANY,
              [5] = A(VARINT), [6] = A(NARROW)},
    [STATUS] = {[2] = A(LONG) | TEXT, [3] = A(VARINT)},
};

/* A field of a message: `begin` to `end` are the bytes of a LONG one, `number` is any other. */
struct Field {
    uint32_t place;
    enum Wire wire;
    uint64_t number;
    At begin, end;
};

static At varint(At p, At end, uint64_t *number)
{
    uint64_t sum = 0;
    for (int shift = 0; shift < 64 && p < end; shift += 7) {
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            return NULL;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *number = sum;
            return p;
        }
    }
    return NULL;
}

/* Reads a field, `p` before `end`; behind it, or NULL. */
static At next_field(At p, At end, struct Field *field)
{
    uint64_t tag;
    p = varint(p, end, &tag);
    if (!p || tag < 8 || tag > UINT32_MAX)
        return NULL;
    field->place = tag >> 3;
    field->wire = tag & 7;
    if (field->wire == VARINT)
        return varint(p, end, &field->number);
    if (field->wire == LONG) {
        uint64_t length;
        p = varint(p, end, &length);
        if (!p || length > (uint64_t)(end - p))
            return NULL;
        field->begin = p;
        field->end = p + length;
        return field->end;
    }
    if (field->wire != WIDE && field->wire != NARROW)
        return NULL;
    int size = field->wire == WIDE ? 8 : 4;
    if (end - p < size)
        return NULL;
    field->number = 0;
    for (int i = size; i--;)
        field->number = field->number << 8 | p[i];
    return p + size;
}

/* Whether bytes are UTF-8, and nothing that only looks like it. */
static int is_text(At p, At end)
{
    while (p < end) {
        uint64_t eight;
        while (end - p >= 8 && (memcpy(&eight, p, 8), !(eight & 0x8080808080808080)))
            p += 8;
        if (p == end)
            return 1;
        uint8_t first = *p++;
        if (first < 0x80)
            continue;
        int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first < 0xc2 || first > 0xf4 || end - p < more)
            return 0;
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (*p < low || *p > high)
            return 0;
        for (p++; --more; p++)
            if ((*p & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

/* What is known of a field of a message, 0 for nothing; `*bad` where it is not plainly right. */
static int part_of(enum Message message, const struct Field *field, uint32_t *seen, int *bad)
{
    int part = field->place < FIELDS ? parts[message][field->place] : 0;
    if (!part) {
        *bad |= message <= PAIR; /* a later version may say there what a value is */
        return 0;
    }
    uint32_t bit = 1u << field->place;
    *bad |= (enum Wire)(part & 7) != field->wire;
    *bad |= !(part & MANY) && *seen & (message == ANY ? ~0u : bit);
    *seen |= bit;
    *bad |= !*bad && part & TEXT && !is_text(field->begin, field->end);
    return part;
}

/* Whether a message is plainly right, with all that is in it. */
static int sound(At p, At end, enum Message message, int depth)
{
    uint32_t seen = 0;
    int bad = depth > DEEPEST;
    while (!bad && p < end) {
        struct Field field;
        if (!(p = next_field(p, end, &field)))
            return 0;
        int part = part_of(message, &field, &seen, &bad);
        if (!bad && part & INNER)
            bad = !sound(field.begin, field.end, part >> 9, depth + 1);
    }
    return !bad;
}

/* Room for one more row of so many cells; NULL where memory is short. */
static int64_t *new_row(struct Cells *to, int cells)
{
    if (to->rows == to->room) {
        int64_t room = to->room ? 2 * to->room : 64;
        int64_t *grown = realloc(to->cells, room * cells * sizeof *grown);
        if (!grown)
            return NULL;
        to->cells = grown;
        to->room = room;
    }
    return to->cells + to->rows++ * cells;
}

static inline uint32_t hashed(uint32_t hash, At p, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * 16777619u;
    return hash;
}

static inline unsigned bucket(At key, int64_t length)
{
    return length ? (key[0] + 3 * key[length / 2] + 7 * key[length - 1] + 5 * length) % BUCKETS : 0;
}

static const struct Name *name_of(const struct Reader *reader, At key, int64_t length)
{
    int at = reader->heads[bucket(key, length)];
    while (at >= 0 && (reader->names[at].length != length ||
                       memcmp(reader->names[at].key, key, length)))
        at = reader->next[at];
    return at < 0 ? NULL : reader->names + at;
}

/* Fills a slot with a value of one kind or another; 0 where the span is unusual. */
static int fill(struct Value *slots, const struct Name *name, const struct Field *any)
{
    struct Value *slot = slots + name->slot;
    if (name->slot == UNUSUAL || any->place > 4)
        return 0;
    if (name->slot == FLAG) {
        slot->rank = 0;
        return 1;
    }
    if (name->slot < FIRST_COUNT) {
        int64_t length = any->end - any->begin;
        if (any->place != 1 || !length || length > LONGEST)
            return 0;
        if (slot->rank >= 0 && slot->rank <= name->rank)
            return slot->rank < name->rank; /* one name twice is unusual */
        *slot = (struct Value){any->begin, length, 0, name->rank};
        return 1;
    }
    if (any->place != 3 || any->number >= (name->slot == NIL ? 1 : LARGEST))
        return 0;
    if (name->slot == NIL)
        return 1;
    if (slot->rank >= 0 && slot->rank <= name->rank)
        return slot->rank < name->rank;
    *slot = (struct Value){NULL, 0, any->number, name->rank};
    return 1;
}

/* Reads an attribute: 1, 0 for a body that is not plainly right, below 0 for an unusual span. */
static int attribute(const struct Reader *reader, At p, At end, struct Value *slots)
{
    struct Field field, any = {0}, key = {0};
    uint32_t seen = 0, told = 0;
    int bad = 0;
    while (p < end) {
        if (!(p = next_field(p, end, &field)))
            return 0;
        part_of(PAIR, &field, &seen, &bad);
        if (bad)
            return 0;
        if (field.place == 1) {
            key = field;
            continue;
        }
        for (At q = field.begin; q < field.end;) {
            if (!(q = next_field(q, field.end, &any)))
                return 0;
            int part = part_of(ANY, &any, &told, &bad);
            if (bad || (part & INNER && !sound(any.begin, any.end, part >> 9, 0)))
                return 0;
        }
    }
    if (!key.place || !any.place)
        return 1;
    const struct Name *name = name_of(reader, key.begin, key.end - key.begin);
    return !name || fill(slots, name, &any) ? 1 : -1;
}

static int is_zero(At p, int64_t length)
{
    while (length && !*p)
        p++, length--;
    return !length;
}

/* Where an id is, below 0 for none; `*bad` where it has another length. */
static int64_t id_at(const struct Reader *reader, const struct Field *field, int length, int *bad)
{
    if (!field->place || field->begin == field->end)
        return -1;
    *bad |= field->end - field->begin != length;
    return is_zero(field->begin, field->end - field->begin) ? -1 : field->begin - reader->body;
}

/* Whether two profiles say the same. */
static int alike(At body, const int64_t *one, const int64_t *other)
{
    for (int i = 0; i < 3; i++)
        if (one[i] != other[i])
            return 0;
    for (int i = 3; i < PROFILE_CELLS; i += 2)
        if (one[i + 1] != other[i + 1] || memcmp(body + one[i], body + other[i], one[i + 1]))
            return 0;
    return 1;
}

/* The number of the profile that a span has; below 0 where memory is short, or where too many have
 * one hash: whoever made them so would have each looked for among all. */
static int64_t profile_of(struct Reader *reader, const struct Value *slots, int64_t group, int failed)
{
    int64_t mine[PROFILE_CELLS];
    mine[0] = group;
    mine[1] = failed;
    mine[2] = slots[FIRST_COUNT].rank >= 0 || slots[FIRST_COUNT + 1].rank >= 0;
    uint32_t hash = hashed(2166136261u, (At)mine, 3 * sizeof *mine);
    for (int i = 0; i < TEXTS; i++) {
        const struct Value *slot = slots + i;
        int64_t length = slot->rank < 0 ? 0 : slot->length;
        mine[3 + 2 * i] = length ? slot->begin - reader->body : 0;
        mine[4 + 2 * i] = length;
        hash = hashed(hash * 31 + (uint32_t)length, slot->begin, length);
    }
    struct Cells *all = &reader->out->profiles;
    uint32_t at = hash & (reader->places - 1);
    for (int probes = 0; reader->found[at]; at = (at + 1) & (reader->places - 1)) {
        if (++probes > PROBES)
            return -1;
        int64_t number = reader->found[at] - 1;
        if (alike(reader->body, mine, all->cells + number * PROFILE_CELLS))
            return number;
    }
    int64_t *made = new_row(all, PROFILE_CELLS);
    if (!made)
        return -1;
    memcpy(made, mine, sizeof mine);
    reader->found[at] = (int32_t)all->rows;
    return all->rows - 1;
}

/* Reads a span; 0 where it is not plainly right. */
static int span(struct Reader *reader, At begin, At end, int64_t group)
{
    struct Value slots[SLOTS];
    for (int i = 0; i < SLOTS; i++)
        slots[i] = (struct Value){NULL, 0, -1, -1};
    struct Field field, trace = {0}, mine = {0}, parent = {0};
    uint32_t seen = 0;
    uint64_t start = 0;
    int bad = 0, odd = 0, failed = 0;
    for (At p = begin; p < end;) {
        if (!(p = next_field(p, end, &field)))
            return 0;
        int part = part_of(SPAN, &field, &seen, &bad);
        if (bad)
            return 0;
        if (part & INNER && field.place == 9) {
            int found = attribute(reader, field.begin, field.end, slots);
            if (!found)
                return 0;
            odd |= found < 0;
        } else if (part & INNER && !sound(field.begin, field.end, part >> 9, 0)) {
            return 0;
        }
        if (field.place == 1)
            trace = field;
        else if (field.place == 2)
            mine = field;
        else if (field.place == 4)
            parent = field;
        else if (field.place == 7)
            start = field.number;
        else if (field.place == 15)
            for (At q = field.begin; q < field.end;) {
                struct Field inner;
                q = next_field(q, field.end, &inner); /* it is sound */
                failed |= inner.place == 3 && (uint32_t)inner.number == 2;
            }
    }
    int64_t *row = new_row(&reader->out->spans, SPAN_CELLS);
    if (!row || reader->out->spans.rows > MOST_SPANS)
        return 0;
    const struct Value *answer = slots + ANSWER;
    row[1] = begin - reader->body;
    row[2] = end - begin;
    row[3] = id_at(reader, &trace, 16, &bad);
    row[4] = id_at(reader, &mine, 8, &bad);
    row[5] = id_at(reader, &parent, 8, &bad);
    row[6] = (int64_t)(start / 1000);
    row[7] = answer->rank < 0 ? 0 : answer->begin - reader->body;
    row[8] = answer->length;
    for (int i = 0; i < COUNTS; i++)
        row[9 + i] = slots[FIRST_COUNT + i].number;
    /* A span that is unusual says of itself which group it is in: -1 is group 0, -2 group 1 … */
    row[0] = odd ? -1 - group : profile_of(reader, slots, group, failed || slots[FLAG].rank >= 0);
    return !bad && (odd || row[0] >= 0);
}

/* The spans of one library. */
static int library(struct Reader *reader, At begin, At end, const struct Field *resource)
{
    struct Field field, scope = {0}, name = {0};
    At p;
    for (p = begin; p < end;) {
        if (!(p = next_field(p, end, &field)))
            return 0;
        if (field.place <= 3 && field.wire != LONG)
            return 0;
        if (field.place == 3 && !is_text(field.begin, field.end))
            return 0;
        if (field.place == 1) {
            if (scope.place || !sound(field.begin, field.end, SCOPE, 0))
                return 0;
            scope = field;
        }
    }
    if (scope.place)
        for (p = scope.begin; p < scope.end;) {
            p = next_field(p, scope.end, &field); /* it is sound */
            if (field.place == 1)
                name = field;
        }
    int64_t group = reader->out->groups.rows;
    int64_t *row = new_row(&reader->out->groups, GROUP_CELLS);
    if (!row || group >= MOST_SPANS)
        return 0;
    row[0] = resource->place ? resource->begin - reader->body : 0;
    row[1] = resource->place ? resource->end - resource->begin : 0;
    row[2] = name.place ? name.begin - reader->body : 0;
    row[3] = name.place ? name.end - name.begin : 0;
    for (p = begin; p < end;) {
        p = next_field(p, end, &field);
        if (field.place == 2 && !span(reader, field.begin, field.end, group))
            return 0;
    }
    return 1;
}

/* The spans of one resource. */
static int resource_spans(struct Reader *reader, At begin, At end)
{
    struct Field field, resource = {0};
    for (At p = begin; p < end;) {
        if (!(p = next_field(p, end, &field)))
            return 0;
        if (field.place <= 3 && field.wire != LONG)
            return 0;
        if (field.place == 3 && !is_text(field.begin, field.end))
            return 0;
        if (field.place == 1) {
            if (resource.place || !sound(field.begin, field.end, RESOURCE, 0))
                return 0;
            resource = field;
        }
    }
    for (At p = begin; p < end;) {
        p = next_field(p, end, &field);
        if (field.place == 2 && !library(reader, field.begin, field.end, &resource))
            return 0;
    }
    return 1;
}

/* Reads a body; 0 where it is not plainly right, or has too many spans, or memory is short.
 *
 * The caller frees `out`, whatever the answer. `names` are at most 256.
 */
EXPORTED int sdlc_otlp_read(At body, int64_t size, const struct Name *names, int32_t count,
                            struct Export *out)
{
    struct Reader reader = {.body = body, .names = names, .out = out};
    memset(out, 0, sizeof *out);
    reader.places = 64;
    while (reader.places < 2 * MOST_SPANS && reader.places < size)
        reader.places *= 2; /* a span has two bytes at least */
    if (count > BUCKETS || !(reader.found = calloc(reader.places, sizeof *reader.found)))
        return 0;
    memset(reader.heads, -1, sizeof reader.heads);
    for (int i = 0; i < count; i++) {
        int16_t *head = reader.heads + bucket((At)names[i].key, names[i].length);
        reader.next[i] = *head;
        *head = i;
    }
    int good = 1;
    for (At p = body, end = body + size; good && p < end;) {
        struct Field field;
        p = next_field(p, end, &field);
        good = p && (field.place != 1 || (field.wire == LONG &&
                                          resource_spans(&reader, field.begin, field.end)));
    }
    free(reader.found);
    return good;
}

EXPORTED void sdlc_otlp_free(struct Export *out)
{
    free(out->spans.cells);
    free(out->profiles.cells);
    free(out->groups.cells);
    memset(out, 0, sizeof *out);
}
