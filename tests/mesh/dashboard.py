"""The Grafana dashboard of `istio/monitoring` without a Grafana: its expressions, asked of a Prometheus, and a picture of it."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from prometheus import MONITORING, Prometheus

HERE = Path(__file__).resolve().parent
PAGE = HERE / "dashboard"
WIDTH, ROW, GAP = 1360, 36, 8
"""Grafana's grid: the picture's width, and a row's height and what lies between, in pixels."""
CHROMIUM = "--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-quic --disable-background-networking \
--disable-component-update --disable-sync"
"""It draws a page of ours, as root perhaps, and shall talk to nobody."""


def board() -> dict:
    """The dashboard."""
    return json.loads((MONITORING / "dashboard.json").read_text())


def filled(text: str, **chosen: str) -> str:
    """An expression as Grafana would send it: everything is chosen, unless said otherwise."""
    chosen = {"__rate_interval": "15s", "namespace": ".*", "plugin": ".*", "policy": ".*"} | chosen
    for name, value in chosen.items():
        text = text.replace(f"${name}", value)
    assert "$" not in text.replace("$1", ""), f"a variable is not known: {text}"
    return text


def panels(kind: str = "") -> list[dict]:
    """The panels that show something, all or of a kind."""
    return [panel for panel in board()["panels"] if panel["type"] != "row" and kind in ("", panel["type"])]


def label_values(prometheus: Prometheus, variable: dict) -> list[str]:
    """What a variable offers to choose from."""
    series, _, label = variable["query"].removeprefix("label_values(").removesuffix(")").rpartition(", ")
    return prometheus.get(f"label/{label}/values", **{"match[]": filled(series)})


def legend(pattern: str, labels: dict) -> str:
    """The name of a series."""
    for name, value in labels.items():
        pattern = pattern.replace(f"{{{{{name}}}}}", value)
    return pattern


def history(prometheus: Prometheus, start: float, end: float) -> list[dict]:
    """The dashboard's panels, each with what it showed in that time."""
    step = max(1, round((end - start) / 240))
    found = []
    for panel in board()["panels"]:
        panel["series"], panel["rows"] = [], []
        for target in panel.get("targets", []):
            expression = filled(target["expr"])
            if panel["type"] == "table":
                panel["rows"] += [series["metric"] for series in prometheus.query(expression)]
                continue
            result = prometheus.get("query_range", query=expression, start=start, end=end, step=step)["result"]
            for series in result:
                name = legend(target["legendFormat"], series["metric"])
                panel["series"].append({"name": name, "points": [[at, float(value)] for at, value in series["values"]]})
        found.append(panel)
    return found


def draw(prometheus: Prometheus, start: float, end: float, picture: Path) -> None:
    """Draws the dashboard by a page of ours in Chromium, with the library that Grafana draws with."""
    shown = history(prometheus, start, end)
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in shown)
    data = {"title": board()["title"], "start": start, "end": end, "row": ROW, "gap": GAP, "panels": shown}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(PAGE, folder, dirs_exist_ok=True)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(npm, cwd=folder, check=True, capture_output=True)
        (folder / "data.js").write_text(f"const data = {json.dumps(data)};")
        height = 64 + bottom * ROW
        command = ["chromium", *CHROMIUM.split(), f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{height}"]
        command += [f"--screenshot={picture.resolve()}", (folder / "page.html").as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
