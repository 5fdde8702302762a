// Files to send: dropped or chosen, one of them the main content.
import { html, useId, useState } from "../html.js";
import { say, showSize } from "../words.js";

export function Files({ files, main, onFiles, onMain }) {
  const [isOver, setIsOver] = useState(false);
  const [id, group] = [useId(), useId()];
  const add = (list) => onFiles([...files, ...list]);
  const remove = (index) => {
    onFiles(files.filter((_, each) => each !== index));
    onMain(main > index ? main - 1 : main === index ? 0 : main);
  };
  const over = (event) => {
    event.preventDefault();
    setIsOver(event.type === "dragover");
  };
  const drop = (event) => {
    over(event);
    add(event.dataTransfer.files);
  };
  const pick = (event) => {
    add(event.target.files);
    event.target.value = ""; // the same file may be chosen again after it was taken out
  };
  return html`
    <div class=${isOver ? "drop over" : "drop"} onDragOver=${over} onDragLeave=${over} onDrop=${drop}>
      <label for=${id}>${say("files.drop")}</label>
      <input id=${id} type="file" multiple onChange=${pick} />
      <ul>
        ${files.map(
          (file, index) => html`
            <li>
              <span>${file.name}, ${showSize(file.size / 1024)}</span>
              <label><input type="radio" name=${group} checked=${index === main} onChange=${() => onMain(index)} /> ${say("main")}</label>
              <button type="button" aria-label=${say("remove", { name: file.name })} onClick=${() => remove(index)}>×</button>
            </li>
          `,
        )}
      </ul>
    </div>
  `;
}

export function Progress({ share }) {
  if (share === null) return null;
  const percent = Math.round(share * 100);
  return html`<p class="progress"><progress max="100" value=${percent} aria-label=${say("progress")}></progress> ${percent} %</p>`;
}
