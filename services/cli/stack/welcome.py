"""What `waymark run` prints at its end: addresses, a token per role, three calls ready to paste."""

import sys
from pathlib import Path

import typer

from services.cli.stack.development_grant import ROLES
from services.cli.stack.paths import CHECKOUT
from services.cli.stack.state import StackState, read_state
from services.cli.token import NoIssuer, request_token

PYTHON_CALL = """\
{python} - <<'EOF'
import grpc
from waymark.catalogue.v1 import search_pb2, search_pb2_grpc
channel = grpc.insecure_channel("{target}")
answer = search_pb2_grpc.SearchServiceStub(channel).SearchCourses(
    search_pb2.SearchCoursesRequest(query="welding", page_size=3),
    metadata=[("authorization", "Bearer {token}")], timeout=10)
print(answer)
EOF"""


def welcome(home: Path) -> None:
    """Print how to call the running stack in `home`.

    Raises:
        Failure: no stack runs there.
    """
    state = read_state(home)
    typer.echo(f"\nAddresses\n{addresses(state)}")
    tokens = {}
    for role in ROLES:
        try:
            tokens[role] = request_token(home, role)["access_token"]
        except NoIssuer as error:
            typer.echo(f"\n{error}")
            return
    typer.echo("\nA token per role (valid for one hour; `waymark token ROLE` prints a new one)")
    for role, token in tokens.items():
        typer.echo(f"  {role:<18} {token}")
    typer.echo("\nThree calls to paste")
    for title, call in calls(state, tokens["learner"]).items():
        typer.echo(f"# {title}\n{call}\n")


def addresses(state: StackState) -> str:
    """Return the addresses people need, a line each."""
    lines = {
        "REST, gRPC, gRPC-Web": state.edge,
        "OpenAPI document": f"{state.edge}/openapi.json",
        "token issuer": state.issuer,
        "Kafka": state.kafka,
        **{name: part.address for name, part in state.parts.items() if name in ("postgres", "s3")},
    }
    return "\n".join(f"  {name:<21} {address}" for name, address in lines.items())


def calls(state: StackState, token: str) -> dict[str, str]:
    """Return three ways to search the catalogue, by tool."""
    target = state.edge.removeprefix("http://")
    header = f"authorization: Bearer {token}"
    method = "waymark.catalogue.v1.SearchService/SearchCourses"
    descriptors = CHECKOUT / "proto" / "python" / "waymark" / "descriptors.binpb"
    body = '{"query": "welding", "page_size": 3}'
    return {
        "curl": f"curl -s -H '{header}' '{state.edge}/v1/courses:search?query=welding&page_size=3'",
        "grpcurl": f"grpcurl -plaintext -protoset {descriptors} -H '{header}' -d '{body}' {target} {method}",
        "Python": PYTHON_CALL.format(python=sys.executable, target=target, token=token),
    }
