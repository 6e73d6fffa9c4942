"""MLflow's web pages as Daybreak's people need them: they open on model training, without assistant and banner.

MLflow's server takes no setting for it: a browser that is new to it gets the pages for chats, an open assistant and a
notice about usage data, and remembers what was chosen in its own store. So the one page that all others are part of is
sent with these choices made, where the browser has none yet; what a person chooses later stays. The assistant's button
is hidden and its addresses do not exist. All else is MLflow's own application, untouched.

`mlflow server --app-name daybreak` finds it by `mlflow_app/`, which is on its path.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

PLUGIN = Path(__file__).with_name("mlflow_app")  # what MLflow finds this application by
CHOICES = {
    "mlflow.workflowType_v1": "machine_learning",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
    "mlflow.telemetry.info.alert.dismissed_v1": True,
    "mlflow.settings.telemetry.enabled_v1": False,
}
ASSISTANT = "/ajax-api/3.0/mlflow/assistant"  # it can run commands on the server's machine
SCRIPT = f"""<script>
for (const [key, value] of Object.entries({json.dumps(CHOICES)}))
  if (localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify(value));
</script><style>[data-assistant-ui] {{ display: none !important; }}</style>"""


HEADERS = {"Cache-Control": "no-cache", "X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff"}


class Pages:
    """MLflow's application; it is imported by the process that serves it and not by the one that starts it."""

    @cached_property
    def mlflow(self) -> Any:
        """Return MLflow's own application."""
        from mlflow.server.fastapi_app import app

        return app

    @cached_property
    def front(self) -> Any:
        """Return the page that all others are part of, with the choices made before anything of it runs."""
        from mlflow.server import app
        from starlette.responses import HTMLResponse

        page = (Path(app.root_path) / app.static_folder / "index.html").read_text()
        return HTMLResponse(page.replace("<script", f"{SCRIPT}<script", 1), headers=HEADERS)

    @cached_property
    def nothing(self) -> Any:
        """Return the answer to whoever asks for the assistant."""
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("The assistant is switched off.", status_code=404)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path == "/" and scope["method"] == "GET":
            await self.front(scope, receive, send)
        elif path.startswith(ASSISTANT):
            await self.nothing(scope, receive, send)
        else:
            await self.mlflow(scope, receive, send)


app = Pages()
