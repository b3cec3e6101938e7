"""The block that shirts, blouses and shirt dresses are cut from: collar, placket, yoke, sleeves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .blocks import Top, both, line, same
from .body import Body
from .cloth import ACROSS, Grain
from .mesh import F, Mesh, Panel, bezier, mirrored
from .pieces import Cuff, clear, join, neckline, outward, sheet
from .trims import Button, Gathers, Hem, Patch, Seam, Topstitch, Trim, smoothstep

ALONG, INWARD = np.array([-0.68, -0.733]), np.array([0.733, -0.68])
"""Down the sleeve as it is cut, and from its upper to its under side."""

LEAF_TOP = 320.0
"""Where the collar lies in pattern space: the fold, with the leaf's edge 8 further up."""

_DENSE, _DEEP = 260, 44


def _pt(p: F) -> tuple[float, float]:
    return float(p[0]), float(p[1])


@dataclass(frozen=True)
class Shirt:
    """``sleeve``: its length from the shoulder; ``cuff``: width of the flat sleeve at its end; ``cuffed``: depth of the
    cuff, none where the sleeve is hemmed; ``chest``, ``side``: half widths below the arm and at the hem; ``hem``: its
    height; ``tail``: how far the middle hangs lower than the sides; ``leaf``: whether the collar has one, or is a band;
    ``pocket``; ``buttons``: their distance; ``tip``: the end of the shoulder."""

    sleeve: float = 60.0
    cuff: float = 12.5
    cuffed: float = 6.2
    puff: float = 0.7
    wrist: float = 3.5
    chest: float = 26.2
    side: float = 25.6
    hem: float = 84.0
    tail: float = 12.0
    leaf: bool = True
    pocket: bool = True
    buttons: float = 9.2
    tip: tuple[float, float] = (-21.6, 141.6)
    neck: float = 139.6
    yoke: bool = True

    @property
    def cuff_top(self) -> F:
        return np.asarray(self.tip) + ALONG * self.sleeve

    @property
    def cuff_under(self) -> F:
        return self.cuff_top + INWARD * self.cuff

    @property
    def neck_front(self) -> F:
        n = self.neck
        return both(bezier((-7.4, 147.2), (-7.4, n + 2.4), (-4.2, n), (0.0, n)))

    @property
    def neck_back(self) -> F:
        return both(bezier((-7.4, 147.2), (-5.4, 146.0), (-3.0, 145.7), (0.0, 145.7)))

    def _hem(self, deeper: float) -> F:
        s, h, t = self.side, self.hem, self.tail + deeper
        return both(bezier((-s, h), (-s + 2.6, h - 0.8 * t), (-15.0, h - 0.95 * t), (0.0, h - t)))

    @property
    def top(self) -> Top:
        under = np.array([-self.chest, 121.5])
        return Top(
            neck_front=self.neck_front,
            neck_back=self.neck_back,
            shoulder=line(self.tip, (-7.4, 147.2)),
            armhole=bezier(self.tip, (self.tip[0] + 2.0, 133.0), (self.tip[0] + 1.2, 124.5), _pt(under)),
            side=bezier(_pt(under), (-self.chest + 1.0, 110.0), (-self.side + 0.6, 98.0), (-self.side, self.hem)),
            hem=self._hem(0.0),
            hem_back=self._hem(2.0 if self.tail else 0.0),
            sleeve_top=line(self.tip, _pt(self.cuff_top)),
            cuff=np.stack([self.cuff_top, self.cuff_under]),
            sleeve_under=bezier(_pt(self.cuff_under), _pt((self.cuff_under + under) / 2 - 1.0), _pt(under)),
            drop=(24.0, 21.0),
        )

    def panels(self, body: Body) -> list[Panel]:
        return self.top.panels(body)

    def grain(self, panel: str) -> Grain:
        if panel == "collar":
            return Grain(down=(1.0, 0.0), at=(23.0, LEAF_TOP))
        return self.top.grain(panel)

    def from_cuff(self, uv: F) -> F:
        """How far (cm) a sleeve point lies above the end of the sleeve."""
        p = np.column_stack([-np.abs(uv[:, 0]), uv[:, 1]])
        return np.asarray((self.cuff_top - p) @ ALONG)

    def over_cuff(self, uv: F) -> F:
        """0 at the upper side of the sleeve, 1 at the under seam."""
        p = np.column_stack([-np.abs(uv[:, 0]), uv[:, 1]])
        return np.asarray((p - self.cuff_top) @ INWARD / self.cuff)

    def tighten(self, name: str, uv: F) -> F:
        if "sleeve" not in name or not self.cuffed:
            return np.ones(len(uv))
        return np.where(self.from_cuff(uv) < self.cuffed, 12.5 * 0.88 / self.cuff, 1.0)

    def stiffen(self, name: str, uv: F) -> F:
        if "sleeve" in name:
            return np.where(self.from_cuff(uv) < (self.cuffed or 2.5), 14.0 if self.cuffed else 2.5, 1.0)
        placket = (np.abs(uv[:, 0]) < 1.8) & name.startswith("front")
        return np.where(placket, 6.0, 1.0)

    # --- collar -------------------------------------------------------------------------------------------------------

    def collar(self, mesh: Mesh, body: Body) -> Mesh:
        """One sheet: a stand that rises round the neck, then a leaf folded over it down to the points."""
        if self.cuffed:
            cuff = Cuff(self.from_cuff, self.over_cuff, self.cuffed, radius=self.wrist, ease=13.0, puff=self.puff)
            cuff.shape(mesh, "l", 81)
            cuff.shape(mesh, "r", 82)
        ring = neckline(mesh, _DENSE)
        s = np.linspace(0.0, 1.0, _DENSE + 1)
        front = np.minimum(s, 1 - s) * 2
        out = gaussian_filter1d(outward(ring), 4.0, axis=0, mode="nearest")
        height = (2.2 if self.leaf else 2.6) + (1.3 if self.leaf else 0.4) * smoothstep(0.0, 0.7, front)
        t = np.linspace(0.0, 1.0, 9)[:, None, None]
        stand = ring[None] + out[None] * (0.15 - 0.55 * t)
        stand[:, :, 1] += (t * height[None, :, None])[:, :, 0]
        length = np.cumsum(np.concatenate([[0.0], np.linalg.norm(np.diff(ring, axis=0), axis=1)]))
        flat = np.broadcast_to(LEAF_TOP - 4 + 4 * t[:, :, 0], (len(t), _DENSE + 1))
        if self.leaf:
            leaf, down = _leaf(stand[-1], out, front, s)
            free = gaussian_filter1d(clear(leaf, body, 1.1) - leaf, 5.0, axis=1, mode="nearest")
            leaf = leaf + gaussian_filter1d(free, 2.0, axis=0, mode="nearest")
            below = np.broadcast_to(LEAF_TOP + 8 * down[:, None], (_DEEP, _DENSE + 1))
            stand, flat = np.concatenate([stand, leaf[1:]]), np.concatenate([flat, below[1:]])
        uv = np.stack([np.broadcast_to(length, flat.shape), flat], axis=-1)
        return join(mesh, sheet("collar", stand, uv, flip=not self.leaf))

    # --- trims --------------------------------------------------------------------------------------------------------

    def trims(self) -> list[Trim]:
        b = self.top
        front, torso, sleeves = ("front-torso",), ("front-torso", "back-torso"), ("front-sleeve", "back-sleeve")
        low = self.hem - self.tail - 3.0
        out: list[Trim] = []
        if self.yoke:
            yoke = line((-26.0, 131.5), (26.0, 131.5), (26.0, 150.0), (-26.0, 150.0))
            out.append(Patch(("back-torso",), yoke, 0.05, 0.2, grain=ACROSS, name="yoke"))
        out += [
            Patch(front, line((-1.75, 150.0), (1.75, 150.0), (1.75, low), (-1.75, low)), 0.07, 0.5),
            Hem(front, b.hem, 0.9, roll=0.05),
            Hem(("back-torso",), b.hem_back, 0.9, roll=0.05),
        ]
        if self.pocket:
            pocket = line((5.4, 128.0), (16.0, 128.0), (16.0, 116.6), (10.7, 114.6), (5.4, 116.6))
            mouth = Topstitch(front, line((5.4, 128.0), (16.0, 128.0)), 2.2, within=pocket)
            out += [Patch(front, pocket, 0.05, 0.2), mouth]
        for turn, side in ((same, "l"), (mirrored, "r")):
            out += [Seam(torso, turn(b.armhole), 0.03, 0.012), Topstitch(torso, turn(b.armhole), 0.75)]
            out += self._shoulder(turn) if self.yoke else [Seam(torso, turn(b.shoulder))]
            out += self._cuff(turn, side) if self.cuffed else []
        if not self.cuffed:
            ends = b.cuff if b.cuff is not None else b.armhole
            out += [Hem(sleeves, ends, 2.4), Hem(sleeves, mirrored(ends), 2.4)]
        edge = line((-20.0, LEAF_TOP + 8.0), (80.0, LEAF_TOP + 8.0))
        if not self.leaf:
            edge = edge - np.array([0.0, 8.0])
        out += [Topstitch(("collar",), edge, 0.65), Hem(("collar",), edge, 0.2, roll=0.05)]
        count = int((self.neck - 2.6 - low - 8.0) / self.buttons) + 1
        return out + [Button(front, (0.0, self.neck - 2.6 - self.buttons * k), 0.56) for k in range(count)]

    def _shoulder(self, turn: Callable[[F], F]) -> list[Trim]:
        low = bezier((-24.4, 138.2), (-14.0, 140.0), (-5.0, 143.9))
        yoke = np.concatenate([low, line((-5.0, 150.0), (-24.4, 150.0))])
        return [Patch(("front-torso",), turn(yoke), 0.04, 0.2, grain=ACROSS, name="yoke")]

    def _cuff(self, turn: Callable[[F], F], side: str) -> list[Trim]:
        sleeve = (f"front-sleeve-{side}", f"back-sleeve-{side}")
        top, under, deep = self.cuff_top, self.cuff_under, ALONG * self.cuffed
        inner = np.stack([top - deep - INWARD * 6, under - deep + INWARD * 6])
        ends = np.stack([top - INWARD * 6, under + INWARD * 6])
        cuff = turn(np.concatenate([inner, (ends + ALONG * 2)[::-1]]))
        around = Grain(down=_pt(turn(INWARD[None])[0]), at=_pt(turn(top[None])[0]))
        button = turn((top + INWARD * 0.6 * self.cuff - ALONG * self.cuffed / 2)[None])[0]
        return [
            Gathers(sleeve, turn(inner), 6.0 + self.puff, 0.05 + 0.03 * self.puff, 2.2),
            Patch(sleeve, cuff, 0.07, 0.25, grain=around, name="cuff"),
            Hem(sleeve, turn(np.stack([top, under])), 0.5, roll=0.06),
            Button((f"front-sleeve-{side}",), _pt(button), 0.5),
        ]


def _leaf(top: F, out: F, front: F, s: F) -> tuple[F, F]:
    """(deep, n, 3) points from the fold to the edge, longer towards the points; and the share of the way (deep,)."""
    fall = 4.7 + 2.9 * (1 - smoothstep(0.0, 0.42, front))
    tangent = gaussian_filter1d(np.gradient(top, axis=0), 7.0, axis=0, mode="nearest")
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    away = np.where(s < 0.5, 1.0, -1.0)[:, None] * tangent
    shear = 3.6 * (1 - smoothstep(0.0, 0.6, front))
    begin = top + away * (0.35 * (1 - smoothstep(0.0, 0.06, front)))[:, None]
    share = np.linspace(0.0, 1.0, _DEEP)
    rows = []
    for u in share:
        roll = 0.50 * (1 - np.exp(-u / 0.06))
        arch = 0.30 * np.sin(np.pi * min(u / 0.16, 1.0))
        down = max(u - 0.05, 0.0) / 0.95 * fall
        bow = 0.35 * np.sin(np.pi * u)
        x = begin + out * (roll + bow + down * (0.16 + 0.10 * front))[:, None] + away * (shear * u)[:, None]
        x[:, 1] += arch - down * 0.97
        rows.append(x)
    return np.stack(rows), share
