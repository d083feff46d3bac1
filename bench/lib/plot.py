"""Draws the series of a run as one SVG file: a panel each, both axes logarithmic."""
import html
import math

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 420, 300, 64, 34, 44
GAP = 140
COLORS = ["#0b5fa5", "#c2410c", "#15803d", "#7e22ce", "#525252", "#b91c1c"]


def text(x, y, words, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>{html.escape(words)}</text>'


def short(value):
    for bound, unit in ((1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")):
        if value >= bound and value % bound == 0:
            return f"{value // bound} {unit}"
    return f"{value:g}"


def time(us):
    return f"{us / 1e6:g} s" if us >= 1e6 else f"{us / 1e3:g} ms" if us >= 1e3 else f"{us:g} µs"


class Axis:
    def __init__(self, values, start, length):
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        if self.high - self.low < 0.1:
            self.low, self.high = self.low - 0.5, self.high + 0.5
        self.start, self.length = start, length

    def at(self, value):
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * self.length

    def decades(self):
        return [10.0 ** n for n in range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)]


def panel(left, title, x_name, lines):
    """One panel: {name of a line: [[x, us], ...]}."""
    points = [point for line in lines.values() for point in line]
    x_values = sorted({x for x, _ in points})
    ys = [y for _, y in points]
    width, height = WIDTH - LEFT, HEIGHT - TOP - BOTTOM
    x_axis = Axis(x_values, left + LEFT, width)
    y_axis = Axis([10.0 ** math.floor(math.log10(min(ys))), 10.0 ** math.ceil(math.log10(max(ys)))],
                  TOP + height, -height)
    out = [text(left + LEFT + width / 2, 20, title, size=14, extra=' font-weight="bold"'),
           text(left + LEFT + width / 2, HEIGHT - 6, x_name)]
    for y in y_axis.decades():
        at = y_axis.at(y)
        out.append(f'<path d="M{left + LEFT} {at:.1f}h{width}" stroke="#ddd"/>')
        out.append(text(left + LEFT - 6, at + 4, time(y), "end", 11))
    last = -100.0
    for x in x_values:
        if x_axis.at(x) - last >= 36:
            last = x_axis.at(x)
            out.append(text(last, HEIGHT - BOTTOM + 16, short(x), size=11))
    for i, (name, line) in enumerate(lines.items()):
        color = COLORS[i % len(COLORS)]
        places = [(x_axis.at(x), y_axis.at(y)) for x, y in sorted(line)]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        out.append(f'<polyline points="{joined}" fill="none" stroke="{color}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in places]
        out.append(text(left + LEFT + width + 6, TOP + 14 + 16 * i, name, "start", 12, f' fill="{color}"'))
    return "\n".join(out)


def draw(panels):
    """`panels`: (title, name of the x axis, lines) each. Returns the file's text."""
    full = (WIDTH + GAP) * len(panels)
    body = "\n".join(panel(i * (WIDTH + GAP), *one) for i, one in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{full}" height="{HEIGHT}" '
            f'viewBox="0 0 {full} {HEIGHT}" font-family="sans-serif">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')
