"""Cycles takes the picture: the light of white cloth, and what lies where.

Blender comes as the package ``bpy``, which only this module needs; it is imported when a picture is taken.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .charts import Charts, Look
from .mesh import F, I, Mesh

THICKNESS = 0.16
"""Centimetres from the right side of the cloth to its wrong side."""

LIGHTS = (
    # towards the light, strength, radius in degrees of the sky that it fills
    ((-0.70, 0.50, 0.50), 2.6, 14.0),
    ((0.85, 0.12, 0.50), 0.34, 34.0),
    ((0.10, 0.97, -0.10), 0.70, 20.0),
)
"""Key from the upper left, fill from the right, and one from above and behind that lifts shoulders off the ground."""

_ROOM = 0.20
"""Light of the room, from everywhere."""


@dataclass(frozen=True)
class View:
    """A camera in front of the garment: focal length in pixels, its place, and where it looks on the picture."""

    width: int
    height: int
    focal: float
    eye: F
    centre: tuple[float, float]


@dataclass(frozen=True)
class Passes:
    """image (H, W, 4) linear, premultiplied; light (H, W) of white cloth; trim (H, W, 3): factor of the light, share of
    fabric, cover, each times cover; place (H, W, 3): pattern position in cm and the number of panel and side, 0 where
    there is no cloth; coarse: place at half the size."""

    image: F
    light: F
    trim: F
    place: F
    coarse: F


def render(mesh: Mesh, charts: Charts, look: Look, view: View, *, samples: int = 12, threads: int = 0) -> Passes:
    """One picture of a mesh, its place in centimetres, seen from the front."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    _settings(scene, view, threads)
    _garment(bpy, scene, mesh, charts, look)
    _lights(bpy, scene)
    _camera(bpy, scene, view)
    with tempfile.TemporaryDirectory() as folder:
        files = _outputs(scene, Path(folder))
        lit = _shot(bpy, scene, files, view, (1, samples))
        fine = _shot(bpy, scene, files, view, (1, 0))
        coarse = _shot(bpy, scene, files, view, (2, 0))
    light = lit["light"][..., :3] @ [0.2126, 0.7152, 0.0722]
    return Passes(lit["image"], light, lit["trim"][..., :3], fine["place"][..., :3], coarse["place"][..., :3])


def _settings(scene: Any, view: View, threads: int) -> None:
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    if threads:
        scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = True
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Raw"
    scene.cycles.max_bounces = scene.cycles.diffuse_bounces = 2
    scene.cycles.glossy_bounces = 1
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.cycles.seed = 0
    layer = scene.view_layers[0]
    for name in ("place", "trim"):
        aov = layer.aovs.add()
        aov.name, aov.type = name, "COLOR"
    layer.use_pass_normal = layer.use_pass_diffuse_direct = layer.use_pass_diffuse_indirect = True
    layer.cycles.denoising_store_passes = True
    scene.render.resolution_x, scene.render.resolution_y = view.width, view.height


def _shell(mesh: Mesh) -> tuple[F, I, I, I, list[bool]]:
    """Vertices, triangles, which triangle of the mesh each comes from, its corners there, and whether it is the wrong
    side: the cloth, the same a little further in, and a rim between them along open edges."""
    count, total = len(mesh.x), len(mesh.faces)
    deep = mesh.x - THICKNESS * mesh.normals()
    halves = np.stack([mesh.faces, np.roll(mesh.faces, -1, 1)], -1).reshape(-1, 2)
    _, index, uses = np.unique(np.sort(halves, 1), axis=0, return_inverse=True, return_counts=True)
    open_ = np.flatnonzero(uses[index.reshape(-1)] == 1)
    a, b = halves[open_].T
    start = 2 * count + 4 * np.arange(len(open_))
    rim_x = np.stack([mesh.x[a], mesh.x[b], deep[b], deep[a]], 1).reshape(-1, 3)
    rim = np.concatenate([np.stack([start + 1, start, start + 3], 1), np.stack([start + 1, start + 3, start + 2], 1)])
    tri, corner = open_ // 3, open_ % 3
    after = (corner + 1) % 3
    rim_corners = np.concatenate([np.stack([after, corner, corner], 1), np.stack([after, corner, after], 1)])
    own = np.tile(np.arange(3), (total, 1))
    return (
        np.concatenate([mesh.x, deep, rim_x]),
        np.concatenate([mesh.faces, mesh.faces[:, ::-1] + count, rim]),
        np.concatenate([np.arange(total), np.arange(total), tri, tri]),
        np.concatenate([own, own[:, ::-1], rim_corners]),
        [False] * total + [True] * total + [False] * (2 * len(open_)),
    )


def _garment(bpy: Any, scene: Any, mesh: Mesh, charts: Charts, look: Look) -> None:
    x, faces, origin, corner, wrong = _shell(mesh)
    side = np.asarray(wrong).astype(np.int64)
    rows = np.arange(len(faces))[:, None]
    chart = charts.corners[side[:, None], origin[:, None], corner]
    flat = mesh.uv[origin[:, None], corner]
    code = (2 * mesh.panel[origin] + side + 1)[:, None] + 0.0 * rows
    place = np.concatenate([flat, np.broadcast_to(code[..., None], (*flat.shape[:2], 1))], -1)
    data = bpy.data.meshes.new("garment")
    data.vertices.add(len(x))
    data.vertices.foreach_set("co", x.astype(np.float32).ravel())
    data.loops.add(faces.size)
    data.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
    data.polygons.add(len(faces))
    data.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    data.update(calc_edges=True)
    data.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    layer = data.uv_layers.new(name="chart")
    layer.data.foreach_set("uv", chart.astype(np.float32).ravel())
    told = data.attributes.new("place", "FLOAT_VECTOR", "CORNER")
    told.data.foreach_set("vector", place.astype(np.float32).ravel())
    data.materials.append(_material(bpy, charts, look))
    data.validate(clean_customdata=False)
    scene.collection.objects.link(bpy.data.objects.new("garment", data))


def _picture(bpy: Any, name: str, values: F) -> Any:
    height, width = values.shape[:2]
    image = bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
    full = np.ones((height, width, 4), np.float32)
    full[..., :3] = values
    image.pixels.foreach_set(full.ravel())
    return image


def _material(bpy: Any, charts: Charts, look: Look) -> Any:
    material = bpy.data.materials.new("cloth")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    new, link = tree.nodes.new, tree.links.new
    read = {}
    for name, values in (("trim", charts.trim), ("tint", charts.tint)):
        node = new("ShaderNodeTexImage")
        node.image, node.interpolation, node.extension = _picture(bpy, name, values), "Cubic", "EXTEND"
        read[name] = node
    parts = new("ShaderNodeSeparateColor")
    link(read["trim"].outputs["Color"], parts.inputs[0])
    bump = new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = bump.inputs["Distance"].default_value = 1.0
    link(parts.outputs[0], bump.inputs["Height"])
    albedo = new("ShaderNodeVectorMath")
    albedo.operation = "MULTIPLY"
    albedo.inputs[1].default_value = look.albedo
    link(read["tint"].outputs["Color"], albedo.inputs[0])
    cloth = new("ShaderNodeBsdfPrincipled")
    cloth.inputs["Roughness"].default_value = look.rough
    cloth.inputs["Specular IOR Level"].default_value = 0.18
    cloth.inputs["Sheen Weight"].default_value = look.sheen
    link(albedo.outputs[0], cloth.inputs["Base Color"])
    link(bump.outputs[0], cloth.inputs["Normal"])
    place = new("ShaderNodeAttribute")
    place.attribute_name = "place"
    needle = new("ShaderNodeCombineColor")
    needle.inputs[2].default_value = 1.0
    link(parts.outputs[1], needle.inputs[0])
    link(parts.outputs[2], needle.inputs[1])
    for name, socket in (("place", place.outputs["Color"]), ("trim", needle.outputs[0])):
        out = new("ShaderNodeOutputAOV")
        out.aov_name = name
        link(socket, out.inputs["Color"])
    link(cloth.outputs[0], new("ShaderNodeOutputMaterial").inputs["Surface"])
    return material


def _lights(bpy: Any, scene: Any) -> None:
    from mathutils import Vector

    world = bpy.data.worlds.new("room")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = _ROOM
    for way, strength, wide in LIGHTS:
        sun = bpy.data.lights.new("sun", "SUN")
        sun.energy, sun.angle = strength, np.radians(2 * wide)
        held = bpy.data.objects.new("sun", sun)
        held.rotation_mode = "QUATERNION"
        held.rotation_quaternion = Vector(way).to_track_quat("Z", "Y")
        scene.collection.objects.link(held)


def _camera(bpy: Any, scene: Any, view: View) -> None:
    camera = bpy.data.cameras.new("camera")
    camera.sensor_fit, camera.sensor_height = "VERTICAL", 36.0
    camera.lens = view.focal * 36.0 / view.height
    camera.shift_x = (view.width / 2 - view.centre[0]) / view.height
    camera.shift_y = (view.centre[1] - view.height / 2) / view.height
    camera.clip_start, camera.clip_end = 10.0, 5000.0
    held = bpy.data.objects.new("camera", camera)
    held.location = tuple(view.eye)
    scene.collection.objects.link(held)
    scene.camera = held


def _outputs(scene: Any, folder: Path) -> dict[str, Path]:
    """The compositor writes each pass to a file; light and image without their noise."""
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    new, link = tree.nodes.new, tree.links.new
    layer, out = new("CompositorNodeRLayers"), new("CompositorNodeOutputFile")
    out.base_path = str(folder)
    out.format.file_format, out.format.color_depth, out.format.exr_codec = "OPEN_EXR", "32", "NONE"
    out.format.color_mode = "RGBA"
    out.file_slots.clear()
    total = new("CompositorNodeMixRGB")
    total.blend_type = "ADD"
    link(layer.outputs["DiffDir"], total.inputs[1])
    link(layer.outputs["DiffInd"], total.inputs[2])
    sockets = {"place": layer.outputs["place"], "trim": layer.outputs["trim"]}
    for name, noisy in (("light", total.outputs[0]), ("image", layer.outputs["Image"])):
        clean = new("CompositorNodeDenoise")
        clean.prefilter, clean.use_hdr = "ACCURATE", True
        link(noisy, clean.inputs["Image"])
        link(layer.outputs["Denoising Normal"], clean.inputs["Normal"])
        sockets[name] = clean.outputs[0]
    for name, socket in sockets.items():
        out.file_slots.new(name)
        link(socket, out.inputs[name])
    return {name: folder / f"{name}0001.exr" for name in sockets}


def _shot(bpy: Any, scene: Any, files: dict[str, Path], view: View, how: tuple[int, int]) -> dict[str, F]:
    """``how``: by how much smaller, and with how many samples a pixel; none: what lies at the middle of each pixel."""
    smaller, samples = how
    scene.render.resolution_x, scene.render.resolution_y = view.width // smaller, view.height // smaller
    scene.cycles.samples = samples or 1
    scene.cycles.filter_width = 1.5 if samples else 0.01
    scene.cycles.max_bounces = 2 if samples else 0
    for node in scene.node_tree.nodes:
        if node.bl_idname == "CompositorNodeDenoise":
            node.mute = not samples
    bpy.ops.render.render()
    return {name: _read(bpy, path) for name, path in files.items()}


def _read(bpy: Any, path: Path) -> F:
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    return values.reshape(height, width, 4)[::-1].astype(np.float64)
