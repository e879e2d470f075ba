import { Checkbox, Field, Input, NativeSelect, Textarea } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";
import { choicesOf, fieldOf, isOptional, type Param, type Wrong } from "./params";

type Props = {
  param: Param;
  text: string;
  wrong: Wrong | undefined;
  onChange: (text: string) => void;
};

const INPUTS: Record<string, string> = { date: "date", moment: "datetime-local" };
const HINTS: Record<string, string> = { list: "list_help", json: "json_help" };

/** One parameter of a run, asked for as what it is. */
export function ParamField({ param, text, wrong, onChange }: Props) {
  const say = useSay();
  const kind = fieldOf(param);
  const title = typeof param.rules.title === "string" ? param.rules.title : param.name;
  const hint = HINTS[kind];
  return (
    <Field.Root invalid={wrong !== undefined}>
      {kind !== "boolean" && (
        <Field.Label>
          {title}
          {isOptional(param) && ` (${say("workflows.optional")})`}
        </Field.Label>
      )}
      {kind === "boolean" ? (
        <Checkbox.Root
          checked={text === "true"}
          onCheckedChange={({ checked }) => onChange(String(checked === true))}
        >
          <Checkbox.HiddenInput />
          <Checkbox.Control />
          <Checkbox.Label>{title}</Checkbox.Label>
        </Checkbox.Root>
      ) : (
        <Entry param={param} text={text} onChange={onChange} />
      )}
      {(param.description || hint) && (
        <Field.HelperText>
          {param.description} {hint && say(`workflows.${hint}`)}
        </Field.HelperText>
      )}
      {wrong && (
        <Field.ErrorText>
          {say(`workflows.wrong_${wrong.why}`, { limit: wrong.limit })}
        </Field.ErrorText>
      )}
    </Field.Root>
  );
}

function Entry({ param, text, onChange }: Omit<Props, "wrong">) {
  const say = useSay();
  const kind = fieldOf(param);
  if (kind === "choice") {
    const hasNone = isOptional(param) || text === "";
    return (
      <NativeSelect.Root>
        <NativeSelect.Field value={text} onChange={(event) => onChange(event.target.value)}>
          {hasNone && <option value="">{say("workflows.none_chosen")}</option>}
          {choicesOf(param).map((one) => (
            <option key={JSON.stringify(one)} value={JSON.stringify(one)}>
              {String(one)}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
    );
  }
  if (kind === "list" || kind === "json" || kind === "long") {
    return <Textarea rows={4} value={text} onChange={(event) => onChange(event.target.value)} />;
  }
  return (
    <Input
      type={INPUTS[kind] ?? "text"}
      inputMode={kind === "number" || kind === "integer" ? "decimal" : "text"}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
