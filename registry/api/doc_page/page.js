// Draws the document of this interface, with Swagger UI, and has it call where the page came from.

async function readDocument(place) {
  const answer = await fetch(place.dataset.document);
  if (!answer.ok) throw new Error(`The document was answered with ${answer.status}.`);
  return answer.json();
}

// A token is pasted here: the server that gives it lets no page of ours ask.
function takePastedTokens(contract) {
  for (const scheme of Object.values(contract.components.securitySchemes)) {
    scheme.type = "http";
    scheme.scheme = "bearer";
    delete scheme.flows;
  }
}

// Else the examples of all parameters would be sent by whoever fills in none, and find nothing.
function leaveOptionalParametersEmpty({ components }) {
  for (const parameter of Object.values(components.parameters)) {
    if (parameter.required) continue;
    const shared = components.schemas[parameter.schema.$ref?.split("/").pop()];
    const { example: _, ...schema } = shared ?? parameter.schema;
    parameter.schema = schema;
    if (parameter.example) parameter.description += ` For example \`${parameter.example}\`.`;
    delete parameter.example;
  }
}

async function show(place) {
  const contract = await readDocument(place);
  contract.servers = [{ url: new URL(place.dataset.base, location.href).href }];
  takePastedTokens(contract);
  leaveOptionalParametersEmpty(contract);
  SwaggerUIBundle({
    spec: contract,
    domNode: place,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
  });
}

const place = document.getElementById("interface");
show(place).catch((fault) => {
  const text = document.createElement("p");
  text.className = "note";
  text.setAttribute("role", "alert");
  text.textContent = `The interface cannot be shown. ${fault.message}`;
  place.replaceChildren(text);
});
