import {
  Button,
  Field,
  HStack,
  NativeSelect,
  SimpleGrid,
  Stack,
  Text,
  Textarea,
} from "@chakra-ui/react";
import { useState } from "react";
import type { components } from "~/api/schema";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { Previews } from "./Previews";
import { readRows } from "./rows";
import { useTried } from "./useTried";

type Props = { template: components["schemas"]["TemplateDetail"] };

/** Try another text on some rows, and read what people would. The file stays as it is. */
export function Workbench({ template }: Props) {
  const say = useSay();
  const [language, setLanguage] = useState(template.texts[0]?.language ?? "");
  const own = template.texts.find((one) => one.language === language)?.text ?? "";
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [rowsText, setRowsText] = useState(() => JSON.stringify(template.example_rows, null, 2));
  const body = typed[language] ?? own;
  const rows = readRows(rowsText);
  const tried = useTried(template.name, body, language, rows);
  return (
    <SimpleGrid columns={{ base: 1, lg: 2 }} gap={6} alignItems="start">
      <Stack gap={4} minW={0}>
        {template.texts.length > 1 && (
          <Field.Root>
            <Field.Label>{say("templates.language")}</Field.Label>
            <NativeSelect.Root maxW="12rem">
              <NativeSelect.Field
                value={language}
                onChange={(event) => setLanguage(event.target.value)}
              >
                {template.texts.map((one) => (
                  <option key={one.language} value={one.language}>
                    {one.language}
                  </option>
                ))}
              </NativeSelect.Field>
              <NativeSelect.Indicator />
            </NativeSelect.Root>
          </Field.Root>
        )}
        <Field.Root>
          <Field.Label>{say("templates.body")}</Field.Label>
          <Textarea
            rows={8}
            fontFamily="mono"
            fontSize="sm"
            spellCheck={false}
            maxLength={20_000}
            value={body}
            onChange={(event) => setTyped({ ...typed, [language]: event.target.value })}
          />
          <Field.HelperText>{say("templates.body_help")}</Field.HelperText>
        </Field.Root>
        <Tools body={body} own={own} onReset={() => setTyped({ ...typed, [language]: own })} />
        <Field.Root invalid={rows === null}>
          <Field.Label>{say("templates.rows")}</Field.Label>
          <Textarea
            rows={10}
            fontFamily="mono"
            fontSize="sm"
            spellCheck={false}
            value={rowsText}
            onChange={(event) => setRowsText(event.target.value)}
          />
          <Field.HelperText>{say("templates.rows_help")}</Field.HelperText>
          <Field.ErrorText>{say("templates.rows_wrong")}</Field.ErrorText>
        </Field.Root>
      </Stack>
      <Stack gap={4} minW={0} aria-live="polite" aria-busy={tried.isFetching}>
        {tried.isError && <Trouble error={tried.error} what={say("templates.preview_failed")} />}
        {tried.data && <Previews tried={tried.data} maxParts={template.max_parts} />}
      </Stack>
    </SimpleGrid>
  );
}

type ToolsProps = { body: string; own: string; onReset: () => void };

function Tools({ body, own, onReset }: ToolsProps) {
  const say = useSay();
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(body);
      setCopied(body);
    } catch {
      setCopied(null);
    }
  };
  return (
    <HStack wrap="wrap">
      <Button size="sm" colorPalette="blue" onClick={() => void copy()}>
        {say("templates.copy")}
      </Button>
      <Button size="sm" variant="outline" disabled={body === own} onClick={onReset}>
        {say("templates.reset")}
      </Button>
      <Text color="fg.muted" fontSize="sm" role="status">
        {copied === body
          ? say("templates.copied")
          : say(body === own ? "templates.same" : "templates.changed")}
      </Text>
    </HStack>
  );
}
