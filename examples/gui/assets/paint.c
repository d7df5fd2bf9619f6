/* SPDX-License-Identifier: MIT */
/* Draws the pictures, letters and sounds of a generated GUI application.  Integers only: the same bytes on every machine.
 * Positions are in pixels with 8 bits of fraction, colours have 8 bits. */
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

static uint32_t mixed(uint32_t value) {
    value ^= value >> 16;
    value *= 0x7FEB352Du;
    value ^= value >> 15;
    value *= 0x846CA68Bu;
    return value ^ value >> 16;
}

/* A number that only the place and the seed decide. */
static uint32_t noise(uint32_t x, uint32_t y, uint32_t seed) {
    return mixed(mixed(mixed(seed) + x) + y);
}

/* Noise between grid points of a distance of 1 << shift, smooth: 0 .. 255. */
static uint32_t smooth(uint32_t x, uint32_t y, uint32_t shift, uint32_t seed) {
    uint32_t cell = 1u << shift, fx = x & (cell - 1), fy = y & (cell - 1);
    uint32_t left = x >> shift, top = y >> shift;
    uint32_t a = noise(left, top, seed) & 255u, b = noise(left + 1, top, seed) & 255u;
    uint32_t c = noise(left, top + 1, seed) & 255u, d = noise(left + 1, top + 1, seed) & 255u;
    uint32_t above = a * (cell - fx) + b * fx, below = c * (cell - fx) + d * fx;
    return (above * (cell - fy) + below * fy) >> (2 * shift);
}

static uint16_t rgb565(uint32_t r, uint32_t g, uint32_t b) {
    return (uint16_t)((r >> 3) << 11 | (g >> 2) << 5 | b >> 3);
}

static uint32_t limited(int32_t value) {
    return value < 0 ? 0u : value > 255 ? 255u : (uint32_t)value;
}

/* What a camera sees: large and small structures that the colours share, and grain. */
EXPORT void spb_paint_photo(uint32_t seed, uint32_t width, uint32_t height, uint16_t *out) {
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t light = (smooth(x, y, 7, seed) * 4 + smooth(x, y, 5, seed + 1) * 2 + smooth(x, y, 3, seed + 2)) / 7;
            uint32_t grain = noise(x, y, seed + 3) & 15u;
            int32_t tint = (int32_t)smooth(x, y, 6, seed + 4) - 128;
            int32_t base = (int32_t)(light + grain) - 8;
            *out++ = rgb565(limited(base + tint / 3), limited(base), limited(base - tint / 4));
        }
    }
}

/* A background: from one colour to another, dithered. */
EXPORT void spb_paint_gradient(uint32_t seed, uint32_t width, uint32_t height, uint16_t *out) {
    static const uint8_t dither[16] = {0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5};
    uint32_t from = mixed(seed), to = mixed(seed + 1), along_x = mixed(seed + 2) & 3u, along_y = 3u - along_x;
    uint32_t all = along_x * width + along_y * height + 1u;
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t at = (along_x * x + along_y * y) * 256u / all, part = dither[(y & 3u) * 4u + (x & 3u)], c[3];
            for (uint32_t i = 0; i < 3; i++) {
                uint32_t a = from >> (8 * i) & 255u, b = to >> (8 * i) & 255u;
                c[i] = limited((int32_t)((a * (256u - at) + b * at) >> 8) + (int32_t)(part >> 1));
            }
            *out++ = rgb565(c[0], c[1], c[2]);
        }
    }
}

/* Sixteenths of a pixel that lie in a rounded rectangle around (cx, cy): 4 x 4 samples. */
static uint32_t covered(int32_t x, int32_t y, int32_t cx, int32_t cy, const int32_t *size) {
    uint32_t inside = 0;
    for (int32_t i = 0; i < 16; i++) {
        int32_t dx = x * 256 + (i & 3) * 64 + 32 - cx, dy = y * 256 + (i >> 2) * 64 + 32 - cy;
        dx = (dx < 0 ? -dx : dx) - size[0];
        dy = (dy < 0 ? -dy : dy) - size[1];
        int64_t px = dx > 0 ? dx : 0, py = dy > 0 ? dy : 0, radius = size[2];
        inside += px * px + py * py <= radius * radius ? 1u : 0u;
    }
    return inside;
}

/* A sign for a button: shapes with smooth edges on nothing, ARGB8888. */
EXPORT void spb_paint_icon(uint32_t seed, uint32_t width, uint32_t height, uint32_t *out) {
    int32_t shape[6][5];
    uint32_t colour[6], count = 2u + mixed(seed) % 5u;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t side = k ? height : width;
            shape[i][k] = (int32_t)(side * 64u + noise(i, k, seed) % (side * 128u));
            shape[i][k + 2] = (int32_t)(noise(i, k + 2u, seed) % (side * 56u));
        }
        shape[i][4] = (int32_t)(256u + noise(i, 4, seed) % (width * 24u));
        colour[i] = noise(i, 5, seed) & 0xF0F0F0u;
    }
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t pixel = 0;
            for (uint32_t i = 0; i < count; i++) {
                uint32_t part = covered((int32_t)x, (int32_t)y, shape[i][0], shape[i][1], &shape[i][2]);
                uint32_t alpha = pixel >> 24, mix = 0;
                for (uint32_t k = 0; k < 24; k += 8) {
                    uint32_t below = alpha ? pixel >> k & 255u : colour[i] >> k & 255u;
                    mix |= (below * (16u - part) + (colour[i] >> k & 255u) * part) / 16u << k;
                }
                uint32_t opaque = part * 255u / 16u;
                pixel = (opaque > alpha ? opaque : alpha) << 24 | mix;
                pixel = pixel >> 24 ? pixel : 0u;
            }
            *out++ = pixel;
        }
    }
}

/* A letter: three strokes with smooth edges, four bits a pixel, two to the byte. */
EXPORT void spb_paint_letter(uint32_t seed, uint32_t width, uint32_t height, uint8_t *out) {
    int32_t stroke[3][5];
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t upright = noise(i, 9, seed) & 1u;
        stroke[i][0] = (int32_t)(width * 48u + noise(i, 0, seed) % (width * 160u));
        stroke[i][1] = (int32_t)(height * 48u + noise(i, 1, seed) % (height * 160u));
        stroke[i][2] = (int32_t)(noise(i, 2, seed) % (width * (upright ? 10u : 80u)));
        stroke[i][3] = (int32_t)(noise(i, 3, seed) % (height * (upright ? 100u : 10u)));
        stroke[i][4] = (int32_t)(width * 18u);
    }
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t most = 0;
            for (uint32_t i = 0; i < 3; i++) {
                uint32_t part = covered((int32_t)x, (int32_t)y, stroke[i][0], stroke[i][1], &stroke[i][2]);
                most = part > most ? part : most;
            }
            uint32_t at = y * ((width + 1u) / 2u) + x / 2u, bits = most > 15u ? 15u : most;
            out[at] = (uint8_t)(x & 1u ? out[at] | bits << 4 : bits);
        }
    }
}

/* A chime: tones that die away, 16 bits a sample, and the noise of a microphone. */
EXPORT void spb_paint_sound(uint32_t seed, uint32_t samples, uint32_t unused, int16_t *out) {
    (void)unused;
    for (uint32_t at = 0; at < samples; at++) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t step = 300u + noise(i, 0, seed) % 4000u, note = at % (16384u << (i & 1u));
            int32_t phase = (int32_t)((at * step) & 0xFFFFu) - 0x8000, loud = (int32_t)(16384u * 2u - note) >> 4;
            int32_t half = phase < 0 ? -phase : phase;
            int32_t wave = phase < 0 ? -(half * (0x8000 - half) >> 13) : half * (0x8000 - half) >> 13;
            sum += (wave * (loud > 0 ? loud : 0)) >> 13;
        }
        sum += (int32_t)(noise(at, 1, seed) & 31u) - 16;
        *out++ = (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
    }
}
